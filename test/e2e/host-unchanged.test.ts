import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bundle } from "../../fixtures/bundle.ts";
import { createContainer, runContainer } from "../../fixtures/run/container.ts";
import { hookEntry } from "../support/build/builds.ts";
import { withFault } from "../support/engines/inject-fault.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { askingBundle, describeDevices, type Jetson, openJetson } from "../support/host/jetson.ts";
import { snapshotMounts, snapshotTree } from "../support/host/snapshot.ts";

/** Directories of the host in which the manifest lists files, or of which each container has its own. */
const WATCHED = ["/dev", "/etc", "/usr/lib/aarch64-linux-gnu", "/usr/lib/firmware"];

describeBuilds([...CONTAINER, "cgroup v2", "strace"], "the host", (build) => {
  describe.each(["host", "v2"] as const)("with %s cgroups", (cgroup) => {
    let jetson: Jetson;
    let before: object;
    const look = () => {
      const root = `/proc/${jetson.place.pid}/root`;
      return {
        mounts: snapshotMounts(jetson.place.pid),
        outside: snapshotMounts(),
        files: WATCHED.map((path) => snapshotTree(`${root}${path}`, ["/pts", "/shm", "/mqueue"])),
        devices: jetson.place.run(describeDevices(jetson)),
        // Every write that reached the host's file systems, anywhere.
        changes: jetson.host.changes(),
      };
    };
    const withBundle = (hook: readonly string[], use: (bundle: Bundle) => void): void => {
      const bundle = askingBundle(build, { hooks: { prestart: [hookEntry(hook)] } });
      try {
        use(bundle);
      } finally {
        bundle.remove();
      }
    };
    const prestart = [build.path, "hook", "prestart"];

    beforeAll(async () => {
      jetson = await openJetson({ cgroup });
      before = look();
    });
    afterAll(() => jetson?.close());

    it("is unchanged while a container has its driver, and afterwards", () => {
      withBundle(prestart, (bundle) => {
        const container = createContainer(bundle, undefined, jetson.place);
        try {
          expect(look()).toEqual(before);
          container.start();
          expect(container.exec(["ls", "/dev/nvmap"]).status).toBe(0);
          expect(look()).toEqual(before);
        } finally {
          container.delete();
        }
        expect(look()).toEqual(before);
      });
    });

    it("is unchanged while two containers have its driver, and when one of them ends", () => {
      withBundle(prestart, (first) => {
        withBundle(prestart, (second) => {
          const containers = [first, second].map((bundle) =>
            createContainer(bundle, undefined, jetson.place),
          );
          try {
            expect(look()).toEqual(before);
            containers[0]?.delete();
            expect(look()).toEqual(before);
          } finally {
            for (const container of containers) container.delete();
          }
        });
      });
    });

    it("is unchanged after a container that its hook stopped", () => {
      withBundle(withFault({ call: "mknodat", when: 3 }, prestart), (bundle) => {
        expect(runContainer(bundle, ["true"], jetson.place).stderr).toContain("nvoci: Cannot ");
        expect(look()).toEqual(before);
      });
    });

    it("is unchanged after a container that tried to write to everything injected", () => {
      const script = `for path in ${[...jetson.files, ...jetson.devices].join(" ")}; do
        rm -f $path; chmod 0 $path; chown 1:1 $path; echo x > $path; mv $path $path.moved
      done 2>/dev/null`;
      withBundle(prestart, (bundle) => {
        runContainer(bundle, ["sh", "-c", script], jetson.place);
        expect(look()).toEqual(before);
      });
    });

    it("can unmount the root of a container that has ended, and remove its files", () => {
      withBundle(prestart, (bundle) => {
        runContainer(bundle, ["true"], jetson.place);
        expect(snapshotMounts(jetson.place.pid).filter((line) => line.includes(bundle.directory))).toEqual(
          [],
        );
      });
      expect(look()).toEqual(before);
    });
  });
});
