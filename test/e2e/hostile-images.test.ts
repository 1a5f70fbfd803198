import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runContainer } from "../support/container.ts";
import { applyLayout, hostileLayouts } from "../support/hostile-layouts.ts";
import { askingBundle, describeCommand, describeHost, type Jetson, openJetson } from "../support/jetson.ts";
import { CONTAINER, describeBuilds } from "../support/prerequisites.ts";
import { snapshotMounts, snapshotTree } from "../support/snapshot.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

describeBuilds(CONTAINER, "a hostile image", (build) => {
  const canary = temporaryDirectory("canary");
  let jetson: Jetson;
  beforeAll(async () => {
    mkdirSync(join(canary.path, "lib"));
    mkdirSync(join(canary.path, "etc"));
    writeFileSync(join(canary.path, "secret"), "secret");
    jetson = await openJetson();
  });
  afterAll(() => {
    jetson?.close();
    canary.remove();
  });

  const layouts = hostileLayouts(canary.path).filter(({ runcFollows }) => runcFollows !== true);

  test.each(layouts)("cannot change the host, and gets its files all the same, where $name", (layout) => {
    // A static shell: the image itself has to work whatever its directories are.
    const bundle = askingBundle(build, { rootfs: "busybox" });
    applyLayout(bundle.rootfs, layout);
    const files = snapshotTree(canary.path);
    const mounts = snapshotMounts(jetson.place.pid);
    try {
      const inside = runContainer(bundle, describeCommand(jetson), jetson.place);
      if (layout.refused === true) expect(inside.status).not.toBe(0);
      else expect(inside).toEqual(describeHost(jetson));
      expect(snapshotTree(canary.path)).toEqual(files);
      expect(snapshotMounts(jetson.place.pid)).toEqual(mounts);
      expect(jetson.host.changes()).toEqual([]);
    } finally {
      bundle.remove();
    }
  });

  test("cannot have its own programs run by the hook", () => {
    const bundle = askingBundle(build, { rootfs: "busybox" });
    const marker = join(canary.path, "ran");
    for (const name of ["ldconfig", "nvidia-smi", "nvidia-ctk"]) {
      writeFileSync(join(bundle.rootfs, "sbin", name), `#!/bin/sh\ntouch ${marker} /ran\n`, { mode: 0o755 });
    }
    const before = snapshotTree(canary.path);
    try {
      const { stdout } = runContainer(bundle, ["sh", "-c", "ls /ran"], jetson.place);
      expect(stdout).toBe("");
      expect(snapshotTree(canary.path)).toEqual(before);
    } finally {
      bundle.remove();
    }
  });

  test("cannot reach the hook through its environment", () => {
    const bundle = askingBundle(build, {
      env: ["LD_PRELOAD=/never.so", "NODE_OPTIONS=--require=/never.js", "PATH=/never"],
    });
    try {
      expect(runContainer(bundle, ["/bin/true"], jetson.place).stderr).not.toContain("hook");
    } finally {
      bundle.remove();
    }
  });
});
