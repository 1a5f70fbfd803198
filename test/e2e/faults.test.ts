import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBareContainer } from "../support/bare-container.ts";
import { builds } from "../support/builds.ts";
import type { Bundle } from "../support/bundle.ts";
import { withFault } from "../support/inject-fault.ts";
import { askingBundle, type Jetson, openJetson } from "../support/jetson.ts";
import { CONTAINER, describeNeeding } from "../support/prerequisites.ts";
import { snapshotMounts } from "../support/snapshot.ts";

const DRIVER = "/usr/lib/aarch64-linux-gnu/nvidia";

/** What an image can have in the way; the hook puts each aside or replaces it. */
function putThingsInTheWay({ rootfs }: Bundle): void {
  const at = (path: string): string => {
    mkdirSync(join(rootfs, dirname(path)), { recursive: true });
    return join(rootfs, path);
  };
  symlinkSync("/nowhere", at(`${DRIVER}/libnvos.so`));
  writeFileSync(at(`${DRIVER}/libcuda.so`), "a file where the host has a link", { mode: 0o640 });
  mkdirSync(at(`${DRIVER}/libnvrm_gpu.so`), { mode: 0o750 });
  symlinkSync("elsewhere", at("/usr/lib/firmware/tegra23x"));
}

interface Sweep {
  readonly call: string;
  /** Failures that change nothing for the container, as strace(1) prints the call. */
  readonly tolerated?: RegExp;
  /** Another errno than EPERM, where that has a meaning of its own. */
  readonly error?: string;
}

/** Calls of the hook itself. */
const OWN: readonly Sweep[] = [
  { call: "open_tree" },
  { call: "mount_setattr" },
  { call: "move_mount" },
  { call: "mknodat" },
  { call: "mkdirat" },
  { call: "symlinkat" },
  { call: "renameat2" },
  { call: "unlinkat" },
  { call: "openat2" },
  { call: "unshare" },
  { call: "memfd_create" },
  { call: "sendfile" },
  { call: "pipe2" },
  { call: "fchdir" },
  { call: "clone" },
];

describeNeeding(["build", ...CONTAINER, "cgroup v2", "strace", "gcc"], "a hook with one failing system call", () => {
  const native = builds()[0]?.path ?? "";

  describe.each(["host", "v2"] as const)("with cgroups of kind %s", (cgroup) => {
    let jetson: Jetson;
    const open = async () => {
      const bundle = askingBundle({ name: "native", path: native });
      putThingsInTheWay(bundle);
      const container = await openBareContainer(bundle, jetson.place);
      return { container, before: container.snapshot(), close: () => (container.close(), bundle.remove()) };
    };
    beforeAll(async () => {
      jetson = await openJetson({ cgroup });
    });
    afterAll(() => jetson?.close());

    test.each(OWN)("leaves nothing behind, whichever $call it is", async ({ call, tolerated, error }) => {
      const host = snapshotMounts(jetson.place.pid);
      const log = join(jetson.host.directory, `${call}.strace`);
      let subject = await open();
      try {
        for (let when = 1; ; when++) {
          const fault = { call, when, ...(error === undefined ? {} : { error }) };
          const { status, stderr } = subject.container.runHook(withFault(fault, [native, "hook", "prestart"], log));
          const injected = readFileSync(log, "utf8").split("\n").filter((line) => line.includes("(INJECTED)"));
          if (injected.length === 0) {
            expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
            expect(subject.container.snapshot()).not.toEqual(subject.before);
            expect(when).toBeGreaterThan(1);
            break;
          }
          console.log(when, injected.join("|").slice(0,150), status, stderr);
          try {
          expect(subject.container.snapshot()).toEqual(subject.before);
          } catch (e) { console.log("DIFF", String(e.message)); subject.close(); subject = await open(); }
        }
      } finally {
        subject.close();
        rmSync(log, { force: true });
      }
      expect(snapshotMounts(jetson.place.pid)).toEqual(host);
      expect(jetson.host.changes()).toEqual([]);
    });
  });
});
