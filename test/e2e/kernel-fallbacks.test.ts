import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createContainer, runContainer } from "../../fixtures/run/container.ts";
import { hookEntry } from "../support/build/builds.ts";
import { withFault } from "../support/engines/inject-fault.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import {
  askingBundle,
  describeCommand,
  describeDevices,
  describeHost,
  type Jetson,
  openJetson,
} from "../support/host/jetson.ts";
import { snapshotMounts, snapshotTree } from "../support/host/snapshot.ts";
import { MISSING_BEFORE, withoutCalls } from "../support/kernel/enosys.ts";

const EPERM = 1;

/** What an older kernel lacks: each call that has a fallback, and all the calls added after a release. */
const LACKS: readonly (readonly [string, readonly string[]])[] = [
  ...["openat2", "open_tree", "move_mount", "mount_setattr", "statx", "close_range"].map(
    (name) => [name, [name]] as const,
  ),
  ["the calls that mount by descriptor", ["open_tree", "move_mount", "mount_setattr"]],
  ...Object.entries(MISSING_BEFORE).map(
    ([release, names]) => [`the calls added after ${release}`, names] as const,
  ),
];

describeBuilds([...CONTAINER, "gcc", "cgroup v2"], "the hook on an older kernel", (build) => {
  const command = [build.path, "hook", "prestart"];

  describe.each(["host", "v2"] as const)("with %s cgroups", (cgroup) => {
    let jetson: Jetson;
    let usual: object;

    /** Returns everything that a container can see of what was injected. */
    function look(hook: readonly string[]): object {
      const bundle = askingBundle(build, { hooks: { prestart: [hookEntry(hook)] } });
      try {
        const container = createContainer(bundle, undefined, jetson.place);
        try {
          const mounts = snapshotMounts(container.pid).filter((line) => !line.includes(bundle.directory));
          container.start();
          const run = (argv: readonly string[]) => container.exec(argv);
          return {
            mounts,
            files: run(describeCommand(jetson)),
            nodes: run(describeDevices(jetson)),
            opened: run(["sh", "-c", `for node in ${jetson.devices.join(" ")}; do cat $node; done`]),
            refused: run(["sh", "-c", "mknod /tmp/other c 60 200; cat /tmp/other"]),
            cache: run(["ldconfig", "-p"]),
          };
        } finally {
          container.delete();
        }
      } finally {
        bundle.remove();
      }
    }

    beforeAll(async () => {
      jetson = await openJetson({ cgroup });
      usual = look(command);
    });
    afterAll(() => jetson?.close());

    it("injects what the host has with all of this kernel's calls", () => {
      expect(usual).toMatchObject({
        files: describeHost(jetson),
        nodes: jetson.place.run(describeDevices(jetson)),
      });
    });

    it.each(LACKS)("injects the same without %s", (_, names) => {
      expect(look(withoutCalls(names, command))).toEqual(usual);
    });
  });
});

describeBuilds([...CONTAINER, "gcc", "strace"], "a kernel that refuses", (build) => {
  let jetson: Jetson;
  beforeAll(async () => {
    jetson = await openJetson();
  });
  afterAll(() => jetson?.close());

  it("MFD_EXEC, unknown before 6.3, still gets the ld.so.cache", () => {
    const fault = { call: "memfd_create", when: 1, error: "EINVAL" };
    const log = join(jetson.host.directory, `${build.name}-memfd`);
    const before512 = withoutCalls(
      ["open_tree", "mount_setattr", "move_mount"],
      [build.path, "hook", "prestart"],
    );
    const hook = hookEntry(withFault(fault, before512, log));
    const bundle = askingBundle(build, { hooks: { prestart: [hook] } });
    try {
      const { stdout, stderr } = runContainer(bundle, ["ldconfig", "-p"], jetson.place);
      expect(stderr).toBe("");
      expect(stdout).toContain("libcuda.so.1 ");
      const asked = readFileSync(log, "utf8").match(/MFD_EXEC|0x10\b/g);
      expect(asked).toHaveLength(1);
    } finally {
      bundle.remove();
    }
  });

  /** Calls, and the fallbacks that must not be tried. */
  const REFUSED = [
    ["openat2", []],
    ["open_tree", ["mount"]],
    ["mount_setattr", ["mount"]],
    ["move_mount", ["mount"]],
  ] as const;

  it.each(REFUSED)("%s with EPERM stops the hook without a fallback", (call, others) => {
    const hook = [build.path, "hook", "prestart"];
    const log = join(jetson.host.directory, `${build.name}-${call}`);
    const calls = [call, ...others].join(",");
    const strace = ["/usr/bin/strace", "-f", "-qq", "-o", log, "-e", `trace=${calls}`];
    const command = [...strace, ...withoutCalls([call], hook, EPERM)];
    const bundle = askingBundle(build, { hooks: { prestart: [hookEntry(command)] } });
    const excluded = ["/dev", "/proc", "/sys"];
    const before = snapshotTree(bundle.rootfs, excluded);
    try {
      const { status, stderr } = runContainer(bundle, ["true"], jetson.place);
      expect(status).not.toBe(0);
      expect(stderr).toMatch(/nvoci: Cannot [^\n]*EPERM/);
      expect(stderr).toContain(`${call}(`);
      const made = readFileSync(log, "utf8").split("\n").slice(0, -1);
      const refused = made.findIndex((line) => line.includes("EPERM"));
      expect(refused).toBeGreaterThanOrEqual(0);
      // After a refusal the hook rolls back and tries nothing else.
      expect(made.slice(refused + 1)).toEqual([]);
      expect(snapshotTree(bundle.rootfs, excluded)).toEqual(before);
    } finally {
      bundle.remove();
    }
  });
});
