import { copyFileSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Bundle, BundleOptions } from "../../fixtures/bundle.ts";
import { ORIN_MANIFEST } from "../../fixtures/host/fake-l4t.ts";
import { createContainer, runContainer } from "../../fixtures/run/container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import {
  askingBundle,
  describeCommand,
  describeDevices,
  describeHost,
  type Jetson,
  openJetson,
} from "../support/host/jetson.ts";
import { mountLines } from "../support/host/snapshot.ts";
import { compileAnswer } from "../support/image/answer.ts";

/** No image's ld.so.conf names this directory. */
const DRIVER = "/usr/lib/aarch64-linux-gnu/nvidia";
const ANSWER = `${DRIVER}/libanswer.so.1`;
const NO_DRIVER = "No such device or address";
const REFUSED = "Operation not permitted";

describeBuilds([...CONTAINER, "cgroup v2", "gcc"], "a container on a Jetson", (build) => {
  describe.each(["host", "v2"] as const)("with %s cgroups", (cgroup) => {
    let jetson: Jetson;
    const bundles: Bundle[] = [];
    const ask = (options?: BundleOptions): Bundle => {
      const bundle = askingBundle(build, options);
      bundles.push(bundle);
      return bundle;
    };
    const run = (bundle: Bundle, command: readonly string[]) => runContainer(bundle, command, jetson.place);
    /** Returns cat(1)'s error for each node, in order. */
    const openAll = (bundle: Bundle, nodes: readonly string[]): string[] =>
      run(bundle, ["sh", "-c", `for node in ${nodes.join(" ")}; do cat $node 2>&1; done`])
        .stdout.trimEnd()
        .split("\n")
        .map((line) => line.replace(/^.*: /, ""));

    beforeAll(async () => {
      const answer = { kind: "file", path: ANSWER, content: readFileSync(compileAnswer().library) } as const;
      const manifests = { "l4t.csv": `${ORIN_MANIFEST}lib, ${ANSWER}\n` };
      jetson = await openJetson({ cgroup, manifests, more: [answer] });
    });
    afterEach(() => {
      for (const bundle of bundles.splice(0)) bundle.remove();
    });
    afterAll(() => jetson?.close());

    it("sees every file and link of the manifest as on the host", () => {
      const host = describeHost(jetson);
      expect(host.stdout.split("\n").length).toBeGreaterThan(jetson.files.length);
      expect(run(ask(), describeCommand(jetson))).toEqual(host);
    });

    it.each([
      "busybox",
      "alpine",
    ] as const)("sees them in a %s image, which has no dynamic linker of glibc", (rootfs) => {
      expect(run(ask({ rootfs }), describeCommand(jetson))).toEqual(describeHost(jetson));
    });

    it("sees whole directories", () => {
      const list = ["find", ...jetson.directories, "-type", "f"];
      const inside = run(ask(), list).stdout.trimEnd().split("\n").sort();
      expect(inside).toEqual(["/lib/firmware/tegra23x/below/second", "/lib/firmware/tegra23x/first"]);
    });

    it("cannot write to a file of the host, run it set-uid or open a device in it", () => {
      const inDirectories = (path: string) =>
        jetson.directories.some((above) => path.startsWith(`${above}/`));
      const expected = [...jetson.directories, ...jetson.files.filter((path) => !inDirectories(path))];
      const mounts = mountLines(run(ask(), ["cat", "/proc/self/mountinfo"]).stdout).map((line) =>
        line.split(" "),
      );
      for (const path of expected) {
        const flags = mounts.find(([point]) => point === path.replace(/^\/lib\//, "/usr/lib/"))?.[2];
        expect(flags?.split(","), path).toEqual(expect.arrayContaining(["ro", "nosuid", "nodev"]));
      }
      const { stderr } = run(ask(), ["sh", "-c", `echo x > ${ANSWER}; rm ${ANSWER}; chmod 777 ${ANSWER}`]);
      expect(stderr.match(/Read-only file system|Device or resource busy/g)).toHaveLength(3);
    });

    it("has the device nodes with the host's numbers, modes and owners", () => {
      const host = jetson.place.run(describeDevices(jetson));
      expect(host.stdout.trimEnd().split("\n")).toHaveLength(jetson.devices.length);
      expect(run(ask(), describeDevices(jetson))).toEqual(host);
    });

    it("can open the manifest's devices and no others", () => {
      const other = { path: "/dev/other", type: "c", major: 60, minor: 200 };
      const script = `mknod /dev/other c 60 200; for node in ${[...jetson.devices, "/dev/other"].join(" ")}; do cat $node; done`;
      const lines = run(ask(), ["sh", "-c", script]).stderr.trimEnd().split("\n");
      expect(lines.pop()).toContain(REFUSED);
      expect(lines).toHaveLength(jetson.devices.length);
      for (const line of lines) expect(line).toContain(NO_DRIVER);
      // The node opens when the runtime allows it, so the cgroup refused it before.
      expect(openAll(ask({ devices: [other] }), ["/dev/other"])).toEqual([NO_DRIVER]);
    });

    it("can open none of them without the hook", () => {
      const nodes = jetson.devices.map((_, minor) => `/dev/n${minor}`);
      const made = nodes.map((path, minor) => `mknod ${path} c 60 ${minor};`).join(" ");
      const script = `${made} for node in ${nodes.join(" ")}; do cat $node; done`;
      const lines = run(ask({ hooks: {} }), ["sh", "-c", script])
        .stderr.trimEnd()
        .split("\n");
      expect(lines).toHaveLength(nodes.length);
      for (const line of lines) expect(line).toContain(REFUSED);
    });

    it("lets processes that join later open its devices", () => {
      const container = createContainer(ask(), undefined, jetson.place);
      try {
        container.start();
        expect(container.exec(["cat", "/dev/nvmap"]).stderr).toContain(NO_DRIVER);
      } finally {
        container.delete();
      }
    });

    it("keeps a device that config.json already has, and gets it only once", () => {
      const devices = [{ path: "/dev/nvmap", type: "c", major: 60, minor: 2 }];
      const bundle = ask({ devices });
      expect(openAll(bundle, jetson.devices)).toEqual(jetson.devices.map(() => NO_DRIVER));
      const mounts = mountLines(run(bundle, ["cat", "/proc/self/mountinfo"]).stdout);
      const points = mounts.map((line) => line.split(" ")[0]);
      expect(points).toContain("/dev/nvhost-gpu");
      expect(points).not.toContain("/dev/nvmap");
    });

    it("lists every injected SONAME in its linker's cache", () => {
      const { stdout } = run(ask(), ["ldconfig", "-p"]);
      const libraries = jetson.files.filter((path) => /\/lib[^/]*\.so[^/]*$/.test(path));
      expect(libraries.length).toBeGreaterThan(4);
      for (const path of libraries) {
        const soname = /^lib.*\.so(?:\.\d+)?/.exec(basename(path))?.[0] ?? path;
        expect(stdout).toContain(`\t${soname} (`);
      }
      expect(stdout).toContain(`=> ${ANSWER}\n`);
      expect(run(ask({ hooks: {} }), ["ldconfig", "-p"]).stdout).not.toContain("libanswer");
    });

    it("runs a program that is linked against an injected library", () => {
      const bundle = ask();
      copyFileSync(compileAnswer().program, join(bundle.rootfs, "usr/bin/ask-answer"));
      expect(run(bundle, ["ask-answer"])).toEqual({ status: 0, stdout: "42\n", stderr: "" });
      const without = ask({ hooks: {} });
      copyFileSync(compileAnswer().program, join(without.rootfs, "usr/bin/ask-answer"));
      expect(run(without, ["ask-answer"]).stderr).toContain("libanswer.so.1");
    });

    it("sees the host's files in a user namespace", () => {
      expect(run(ask({ userNamespace: true }), describeCommand(jetson))).toEqual(describeHost(jetson));
    });

    it("sees the host's files on a read-only root", () => {
      expect(run(ask({ readonlyRoot: true }), describeCommand(jetson))).toEqual(describeHost(jetson));
    });
  });

  it("starts with the rest when the host lacks a third of the manifest", async () => {
    const poor = await openJetson({ lacking: true });
    const bundle = askingBundle(build);
    try {
      const present = { ...poor, links: [] };
      const host = poor.place.run(describeCommand(present));
      expect(host.status).toBe(0);
      expect(runContainer(bundle, describeCommand(present), poor.place)).toEqual(host);
    } finally {
      bundle.remove();
      poor.close();
    }
  });
});
