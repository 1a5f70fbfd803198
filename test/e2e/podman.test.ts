import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeRootfs } from "../../fixtures/rootfs.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { type PodmanOptions, runPodman } from "../support/engines/podman.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { installLinks } from "../support/engines/wrapper.ts";
import { describeCommand, type Jetson, openJetson } from "../support/host/jetson.ts";
import { snapshotTree } from "../support/host/snapshot.ts";

const HOOKS = join(import.meta.dirname, "../../hooks");
const NVOCI = "/usr/bin/nvoci";
const ASK = "--env=NVIDIA_VISIBLE_DEVICES=all";
const OPEN = ["cat", "/dev/nvmap"];
const NO_DRIVER = "No such device or address";

describeBuilds([...CONTAINER, "cgroup v2", "podman"], "podman", (build) => {
  describe.each(["host", "v2"] as const)("with %s cgroups", (cgroup) => {
    let jetson: Jetson;
    let made: TemporaryDirectory;
    const at = (name: string): string => join(made.path, name);
    const run = (command: readonly string[], { options = [], ...more }: PodmanOptions) =>
      runPodman(jetson.place, at("rootfs"), command, { ...more, options: [ASK, ...options] });

    beforeAll(async () => {
      const installed = { kind: "link", path: NVOCI, target: build.path } as const;
      jetson = await openJetson({ cgroup, more: [installed] });
      made = temporaryDirectory("podman-test");
      mkdirSync(at("rootfs"));
      makeRootfs(at("rootfs"), "debian");
      installLinks(build, at("bin"));
      for (const stage of ["prestart", "create-runtime"]) {
        mkdirSync(at(stage));
        copyFileSync(join(HOOKS, `oci-nvoci-${stage}.json`), at(`${stage}/oci-nvoci.json`));
      }
    });
    afterAll(() => {
      jetson?.close();
      made?.remove();
    });
    /** Describes what manifests list. The link to the hook's program is only on the host. */
    const listed = () =>
      describeCommand({ files: jetson.files, links: jetson.links.filter((path) => path !== NVOCI) });
    const inventory = (options: PodmanOptions) => run(listed(), options);
    const host = () => jetson.place.run(listed());

    it.each([
      "prestart",
      "create-runtime",
    ])("injects files and devices with the hook file for %s", (stage) => {
      expect(inventory({ hooks: at(stage) })).toEqual(host());
      expect(run(OPEN, { hooks: at(stage) }).stderr).toContain(NO_DRIVER);
    });

    it("injects files and devices with the wrapper as its runtime", () => {
      const runtime = at("bin/nvidia-container-runtime");
      expect(inventory({ runtime })).toEqual(host());
      for (const options of [[], ["--user=1000"], ["--cap-drop=all"], ["--read-only"]]) {
        expect(run(OPEN, { runtime, options }).stderr, `${options}`).toContain(NO_DRIVER);
      }
    });

    it("injects files and devices once with both", () => {
      const both = { runtime: at("bin/nvidia-container-runtime"), hooks: at("prestart") };
      expect(inventory(both)).toEqual(host());
      const { stdout, ...rest } = run(["cat", "/proc/self/mountinfo"], both);
      expect(rest).toEqual({ status: 0, stderr: "" });
      const mounts = stdout.split("\n").filter((line) => line.includes("/libcuda.so.1.1 "));
      expect(mounts).toHaveLength(1);
    });

    it("knows the runtime after nvoci configure", () => {
      const options = ["--config", at("nvoci.conf"), "--runtime-path", at("bin/nvidia-container-runtime")];
      expect(jetson.place.run([build.path, "configure", "podman", ...options]).status).toBe(0);
      const configured = { config: at("nvoci.conf"), runtime: "nvidia" };
      expect(inventory(configured)).toEqual(host());
    });

    it("has the hook and the runtime after nvoci configure, next to the administrator's hooks, until --remove", () => {
      const ran = join(at("admin"), "ran");
      const hook = { path: "/bin/sh", args: ["sh", "-c", `echo >> ${ran}`], env: ["PATH=/usr/bin:/bin"] };
      const file = { version: "1.0.0", hook, when: { always: true }, stages: ["prestart"] };
      mkdirSync(at("admin"));
      writeFileSync(at("admin/own.json"), JSON.stringify(file));
      const own = [
        "sh",
        "-ec",
        `cp -a /etc/containers ${at("etc")}; mount --bind ${at("etc")} /etc/containers`,
      ];
      expect(jetson.place.run(own).status).toBe(0);
      writeFileSync(at("etc/containers.conf"), `[engine]\nhooks_dir = ["${at("admin")}"]\n`);
      mkdirSync(at("etc/containers.conf.d"), { recursive: true });
      const before = snapshotTree(at("etc"));
      const configure = (...options: string[]) =>
        jetson.place.run([build.path, "configure", "podman", ...options]);
      const look = ["grep", "-c", "/libcuda.so.1.1 ", "/proc/self/mountinfo"];

      expect(configure("--runtime-path", at("bin/nvidia-container-runtime")).status).toBe(0);
      for (const runtime of ["runc", "nvidia"]) {
        writeFileSync(ran, "");
        expect(inventory({ runtime }), runtime).toEqual(host());
        expect(readFileSync(ran, "utf8"), runtime).toBe("\n");
        expect(run(OPEN, { runtime }).stderr, runtime).toContain(NO_DRIVER);
        expect(run(look, { runtime }).stdout, runtime).toBe("1\n");
      }
      expect(configure("--remove").status).toBe(0);
      expect(snapshotTree(at("etc"))).toEqual(before);
      writeFileSync(ran, "");
      expect(run(look, {}).stdout).toBe("0\n");
      expect(readFileSync(ran, "utf8")).toBe("\n");
    });

    it("shows why a container cannot start", () => {
      const options = ["--env=NVIDIA_VISIBLE_DEVICES=GPU-none"];
      const { status, stderr } = run(["true"], { options, runtime: at("bin/nvidia-container-runtime") });
      expect(status).not.toBe(0);
      expect(stderr).toMatch(/nvoci: Cannot .*GPU-none/);
    });
  });
});
