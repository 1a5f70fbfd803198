import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openNamespace } from "../../fixtures/run/private-namespace.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { askingBundle, type Jetson, openJetson } from "../support/host/jetson.ts";
import { snapshotMounts, snapshotTree } from "../support/host/snapshot.ts";
import { withoutCalls } from "../support/kernel/enosys.ts";
import { startSwapping } from "../support/kernel/swapper.ts";

const SECONDS = 2.5;
const LIBRARIES = "usr/lib/aarch64-linux-gnu";
const CLIMB = "../../../../../../../..";

/** What is swapped for a link, and the link's target. `$CANARY` is a directory of the host. */
const SWAPS = [
  ["the library directory for an absolute link", LIBRARIES, "$CANARY"],
  ["a driver directory for a link that climbs", `${LIBRARIES}/nvidia`, `${CLIMB}$CANARY/lib`],
  ["a driver directory for a link to the root", `${LIBRARIES}/nvidia`, CLIMB],
  ["/usr/lib for a link to a directory with the same names", "usr/lib", "$CANARY/usr/lib"],
  ["/etc for a link", "etc", "$CANARY/etc"],
] as const;

const KERNELS = [
  ["this kernel", []],
  ["Linux 4.9", ["openat2", "open_tree", "move_mount", "mount_setattr", "statx", "close_range"]],
] as const;

describeBuilds([...CONTAINER, "gcc"], "an image that another process changes", (build) => {
  // The races are in the system calls, which all builds share. The native build makes the most per second.
  if (build.name !== "native")
    return it("is tried only on the native build", () => expect(["node", "pkg"]).toContain(build.name));

  const canary = temporaryDirectory("canary");
  let jetson: Jetson;
  beforeAll(async () => {
    for (const name of ["lib", "etc", `${LIBRARIES}/nvidia`]) {
      mkdirSync(join(canary.path, name), { recursive: true });
    }
    for (const name of [
      "secret",
      "etc/nvpmodel.conf",
      "etc/ld.so.cache",
      `${LIBRARIES}/nvidia/libcuda.so.1.1`,
    ]) {
      writeFileSync(join(canary.path, name), `secret ${name}`);
    }
    jetson = await openJetson();
  });
  afterAll(() => {
    jetson?.close();
    canary.remove();
  });

  describe.each(KERNELS)("on %s", (_, missing) => {
    it.each(SWAPS)("cannot lead the hook out by swapping %s", async (_title, path, text) => {
      const bundle = askingBundle(build, { rootfs: "busybox" });
      const { rootfs, directory } = bundle;
      const config = join(directory, "config.toml");
      // The processes that replace containers are in the test's cgroup.
      writeFileSync(config, "[nvidia-container-cli]\nno-cgroups = true\n");
      const hook = [build.path, "hook", "-config", config, "prestart"];
      const command = missing.length === 0 ? hook : withoutCalls(missing, hook);
      const link = join(rootfs, "swapped");
      mkdirSync(join(rootfs, path), { recursive: true });
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(text.replace("$CANARY", canary.path), link);

      const files = snapshotTree(canary.path);
      const mounts = snapshotMounts(jetson.place.pid);
      const swapper = await startSwapping(join(rootfs, path), link, SECONDS * 1000);
      const statuses: number[] = [];
      const wrong: string[] = [];
      while (!swapper.isOver()) {
        const keeper = await openNamespace([`mount --bind ${rootfs} ${rootfs}`], jetson.place);
        const input = JSON.stringify({ ociVersion: "1.0.2", id: "x", pid: keeper.pid, bundle: directory });
        const { status, stderr } = jetson.place.run(command, { input });
        statuses.push(status);
        if (status !== 0 && !stderr.startsWith("nvoci: Cannot ")) wrong.push(stderr);
        const outside = snapshotMounts(keeper.pid).filter(
          (line) => !mounts.includes(line) && !line.startsWith(rootfs),
        );
        wrong.push(...outside);
        keeper.close();
      }
      expect(await swapper.exchanges()).toBeGreaterThan(1000);
      bundle.remove();
      expect(wrong).toEqual([]);
      expect(snapshotTree(canary.path)).toEqual(files);
      expect(snapshotMounts(jetson.place.pid)).toEqual(mounts);
      expect(jetson.host.changes()).toEqual([]);
      // A hook that always failed would prove nothing.
      expect(statuses.filter((status) => status === 0).length).toBeGreaterThan(3);
    });
  });
});
