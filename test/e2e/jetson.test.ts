import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nvociHook } from "../support/builds.ts";
import { type Bundle, type BundleOptions, makeBundle } from "../support/bundle.ts";
import { createContainer, runContainer } from "../support/container.ts";
import { askingBundle, describeCommand, describeHost, type Jetson, openJetson } from "../support/jetson.ts";
import { CONTAINER, describeBuilds } from "../support/prerequisites.ts";
import { snapshotMounts, snapshotTree } from "../support/snapshot.ts";

const CGROUPS = ["host", "v2"] as const;

describeBuilds([...CONTAINER, "cgroup v2"], "a container on a Jetson", (build) => {
  describe.each(CGROUPS)("with cgroups of kind %s", (cgroup) => {
    let jetson: Jetson;
    const bundles: Bundle[] = [];
    const ask = (options?: BundleOptions): Bundle => {
      const bundle = askingBundle(build, options);
      bundles.push(bundle);
      return bundle;
    };
    beforeAll(async () => {
      jetson = await openJetson({ cgroup });
    });
    afterAll(() => {
      for (const bundle of bundles) bundle.remove();
      jetson?.close();
    });

    test("sees every file and link of the manifest as the host has it", () => {
      const inside = runContainer(ask(), describeCommand(jetson), jetson.place);
      expect(inside).toEqual(describeHost(jetson));
    });

    test.each(["busybox", "alpine"] as const)("sees them in a %s image, which has no linker", (rootfs) => {
      const inside = runContainer(ask({ rootfs }), describeCommand(jetson), jetson.place);
      expect(inside).toEqual(describeHost(jetson));
    });

    test("finds the libraries in its linker's cache", () => {
      const { stdout } = runContainer(ask(), ["ldconfig", "-p"], jetson.place);
      expect(stdout).toMatch(/libcuda\.so\.1 .*=> \/usr\/lib\/aarch64-linux-gnu\/nvidia\/libcuda\.so\.1/);
    });

    test("may open the manifest's devices and no others", () => {
      const script = `for node in ${jetson.devices.join(" ")}; do cat $node; done; mknod /tmp/n c 60 200; cat /tmp/n`;
      const lines = runContainer(ask(), ["sh", "-c", script], jetson.place).stderr.trimEnd().split("\n");
      const other = lines.pop();
      expect(other).toContain("Operation not permitted");
      expect(lines).toHaveLength(jetson.devices.length);
      for (const line of lines) expect(line).toContain("No such device or address");
    });

    test("gives its devices to processes that join later", () => {
      const container = createContainer(ask(), undefined, jetson.place);
      try {
        container.start();
        expect(container.exec(["cat", "/dev/nvmap"]).stderr).toContain("No such device or address");
      } finally {
        container.delete();
      }
    });

    test("cannot write to an injected file", () => {
      const path = "/usr/lib/aarch64-linux-gnu/nvidia/libnvos.so";
      const { stderr } = runContainer(ask(), ["sh", "-c", `echo x > ${path}`], jetson.place);
      expect(stderr).toContain("Read-only file system");
    });

    test("gets nothing when it does not ask", () => {
      const bundle = makeBundle({ hooks: { prestart: [nvociHook(build)] } });
      bundles.push(bundle);
      const before = snapshotTree(bundle.rootfs);
      expect(runContainer(bundle, ["true"], jetson.place).stderr).toBe("");
      expect(snapshotTree(bundle.rootfs)).toEqual(before);
    });

    test("sees them in a user namespace", () => {
      const user = runContainer(ask({ userNamespace: true }), describeCommand(jetson), jetson.place);
      expect(user).toEqual(describeHost(jetson));
    });

    test("sees them below a read-only root", () => {
      const readonly = runContainer(ask({ readonlyRoot: true }), describeCommand(jetson), jetson.place);
      expect(readonly).toEqual(describeHost(jetson));
    });

    test("leaves the host's mounts and files as they were", () => {
      const before = snapshotMounts(jetson.place.pid);
      const container = createContainer(ask(), undefined, jetson.place);
      const during = snapshotMounts(jetson.place.pid);
      container.delete();
      expect(during).toEqual(before);
      expect(snapshotMounts(jetson.place.pid)).toEqual(before);
      expect(jetson.host.changes()).toEqual([]);
    });
  });

  test("starts when the host lacks a third of the manifest, with the rest", async () => {
    const poor = await openJetson({ lacking: true });
    const bundle = askingBundle(build);
    try {
      const present = { ...poor, links: [] };
      const inside = runContainer(bundle, describeCommand(present), poor.place);
      expect(inside).toEqual(poor.place.run(describeCommand(present)));
    } finally {
      bundle.remove();
      poor.close();
    }
  });

  test("has no file of ours left in /etc but the linker's cache", async () => {
    const jetson = await openJetson();
    const bundle = askingBundle(build);
    try {
      const before = readdirSync(join(bundle.rootfs, "etc"));
      runContainer(bundle, ["true"], jetson.place);
      const added = readdirSync(join(bundle.rootfs, "etc")).filter((name) => !before.includes(name));
      expect(added.sort()).toEqual(["nv_tegra_release", "nvpmodel.conf", "vulkan"]);
    } finally {
      bundle.remove();
      jetson.close();
    }
  });
});
