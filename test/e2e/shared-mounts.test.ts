import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Bundle, BundleOptions } from "../../fixtures/bundle.ts";
import { createContainer, runContainer } from "../../fixtures/run/container.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { hookEntry } from "../support/build/builds.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import {
  askingBundle,
  describeCommand,
  describeHost,
  type Jetson,
  openJetson,
} from "../support/host/jetson.ts";
import { snapshotMounts } from "../support/host/snapshot.ts";
import { withoutCalls } from "../support/kernel/enosys.ts";

const NVIDIA = "/usr/lib/aarch64-linux-gnu/nvidia";
const OLD = ["mount_setattr", "open_tree", "move_mount"];

describeBuilds([...CONTAINER, "gcc"], "mount propagation", (build) => {
  const command = [build.path, "hook", "-debug", "prestart"];
  const kernels = [
    ["this kernel", hookEntry(command)],
    ["a kernel before 5.2", hookEntry(withoutCalls(OLD, command))],
  ] as const;

  describe.each(kernels)("on %s", (_, hook) => {
    let jetson: Jetson;
    const made: (() => void)[] = [];
    beforeEach(async () => {
      jetson = await openJetson();
      return () => {
        for (const undo of made.splice(0).reverse()) undo();
        jetson.close();
      };
    });
    const remember = (bundle: Bundle): Bundle => {
      made.push(bundle.remove);
      return bundle;
    };
    const inPlace = (...argv: string[]): void => {
      const { status, stderr } = jetson.place.run(argv);
      if (status !== 0) throw new Error(stderr);
    };
    const shared = (propagation: string) => (config: Record<string, unknown>) => {
      (config.linux as Record<string, unknown>).rootfsPropagation = propagation;
    };
    const options = (more: BundleOptions): BundleOptions => ({ hooks: { prestart: [hook] }, ...more });

    it.each([
      "shared",
      "rshared",
      "slave",
      "rprivate",
    ])("does not leak a mount to a host with a shared file system from a root that is %s", (propagation) => {
      const bundle = remember(askingBundle(build, options({ edit: shared(propagation) })));
      inPlace("mount", "--bind", bundle.directory, bundle.directory);
      inPlace("mount", "--make-shared", bundle.directory);
      inPlace("mount", "--make-rshared", "/");
      const before = snapshotMounts(jetson.place.pid);
      const outside = snapshotMounts();
      const container = createContainer(bundle, describeCommand(jetson), jetson.place);
      const during = snapshotMounts(jetson.place.pid);
      container.start();
      container.delete();
      expect(during).toEqual(before);
      expect(snapshotMounts(jetson.place.pid)).toEqual(before);
      expect(snapshotMounts()).toEqual(outside);
      expect(runContainer(bundle, describeCommand(jetson), jetson.place)).toEqual(describeHost(jetson));
    });

    it("does not leak a mount through a volume that the container shares with the host", () => {
      const volume = temporaryDirectory("volume");
      made.push(volume.remove);
      mkdirSync(join(volume.path, "nvidia"));
      writeFileSync(join(volume.path, "nvidia/libnvos.so"), "");
      inPlace("mount", "--bind", volume.path, volume.path);
      inPlace("mount", "--make-shared", volume.path);
      const mounts = [
        { destination: NVIDIA, type: "bind", source: `${volume.path}/nvidia`, options: ["rbind", "rshared"] },
      ];
      const bundle = remember(askingBundle(build, options({ mounts, edit: shared("rshared") })));
      const before = snapshotMounts(jetson.place.pid);
      const container = createContainer(bundle, undefined, jetson.place);
      try {
        expect(snapshotMounts(jetson.place.pid)).toEqual(before);
        container.start();
        // Files elsewhere are still injected.
        const seen = container.exec(["cat", "/etc/nvpmodel.conf", `${NVIDIA}/libnvos.so`]);
        expect(seen).toEqual(jetson.place.run(["cat", "/etc/nvpmodel.conf"]));
      } finally {
        container.delete();
      }
      expect(snapshotMounts(jetson.place.pid)).toEqual(before);
    });

    // docker makes the root shared for `-v a:b:shared`.
    it("does not keep the driver out of a container with a shared volume elsewhere", () => {
      const volume = temporaryDirectory("volume");
      made.push(volume.remove);
      inPlace("mount", "--bind", volume.path, volume.path);
      inPlace("mount", "--make-shared", volume.path);
      const mounts = [
        { destination: "/shared", type: "bind", source: volume.path, options: ["rbind", "shared"] },
      ];
      const bundle = remember(askingBundle(build, options({ mounts, edit: shared("shared") })));
      const before = snapshotMounts(jetson.place.pid);
      expect(runContainer(bundle, describeCommand(jetson), jetson.place)).toEqual(describeHost(jetson));
      expect(snapshotMounts(jetson.place.pid)).toEqual(before);
    });

    it("does not keep the driver out of a volume that only receives the host's mounts", () => {
      const volume = temporaryDirectory("volume");
      made.push(volume.remove);
      inPlace("mount", "--bind", volume.path, volume.path);
      inPlace("mount", "--make-shared", volume.path);
      // The hook makes nothing in a volume, so the volume has the placeholders.
      for (const path of jetson.files.filter((file) => file.startsWith(`${NVIDIA}/`))) {
        writeFileSync(join(volume.path, basename(path)), "");
      }
      for (const path of jetson.links.filter((link) => link.startsWith(`${NVIDIA}/`))) {
        const target = jetson.place.run(["readlink", path]).stdout.trim();
        symlinkSync(target, join(volume.path, basename(path)));
      }
      const mounts = [
        { destination: NVIDIA, type: "bind", source: volume.path, options: ["rbind", "rslave"] },
      ];
      const bundle = remember(askingBundle(build, options({ mounts })));
      const before = snapshotMounts(jetson.place.pid);
      expect(runContainer(bundle, describeCommand(jetson), jetson.place)).toEqual(describeHost(jetson));
      expect(snapshotMounts(jetson.place.pid)).toEqual(before);
    });
  });
});
