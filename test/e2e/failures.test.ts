import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hookEntry } from "../support/builds.ts";
import { runContainer } from "../support/container.ts";
import { withFault } from "../support/inject-fault.ts";
import { askingBundle, type Jetson, openJetson } from "../support/jetson.ts";
import { CONTAINER, describeBuilds } from "../support/prerequisites.ts";
import { snapshotTree } from "../support/snapshot.ts";

describeBuilds([...CONTAINER, "strace"], "a hook that fails half-way", (build) => {
  let jetson: Jetson;
  beforeAll(async () => {
    jetson = await openJetson();
  });
  afterAll(() => jetson?.close());

  // runc puts its own directories into an image; one start without a failure makes them.
  test.each(["move_mount", "mknodat", "symlinkat"])("undoes everything when a %s fails", (call) => {
    for (let when = 1; ; when++) {
      const log = join(jetson.host.directory, `${build.name}-${call}-${when}`);
      const command = withFault({ call, when }, [build.path, "hook", "prestart"], log);
      const bundle = askingBundle(build, { hooks: { prestart: [hookEntry(command)] } });
      try {
        const excluded = ["/dev", "/proc", "/sys"];
        const before = snapshotTree(bundle.rootfs, excluded);
        const { status, stderr } = runContainer(bundle, ["true"], jetson.place);
        if (!readFileSync(log, "utf8").includes("(INJECTED)")) {
          expect(status).toBe(0);
          // Without a single failure this test would have shown nothing.
          expect(when).toBeGreaterThan(1);
          return;
        }
        expect(status, `${call} ${when}`).not.toBe(0);
        expect(stderr).toContain("nvoci: Cannot ");
        expect(snapshotTree(bundle.rootfs, excluded), `${call} ${when}`).toEqual(before);
      } finally {
        bundle.remove();
      }
    }
  });
});
