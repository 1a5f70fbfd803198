import { describe, expect, it } from "vitest";
import { linkByNumber } from "../../../src/host-setup/make-nodes.ts";
import type { DeviceNode } from "../../../src/model/container-edits.ts";
import { hostPath } from "../../../src/model/paths.ts";
import { EROFS } from "../../../src/sys/errno.ts";
import type { Syscalls } from "../../../src/sys/syscalls.ts";
import { SystemError } from "../../../src/sys/system-error.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";
import { memoryHost } from "../../support/host/memory-host.ts";
import { fakeSyscalls } from "../../support/kernel/fake-syscalls.ts";

const node = (path: string, major: number, minor: number, type: "c" | "b" = "c"): DeviceNode =>
  ({ hostPath: hostPath(path), path, type, major, minor }) as unknown as DeviceNode;
const NVMAP = node("/dev/nvmap", 10, 50);
const GPU = node("/dev/nvidia0", 195, 0);

/** Returns what is created on a host, in order. */
function made(tree: readonly string[], nodes: readonly DeviceNode[], answers: Partial<Syscalls> = {}) {
  const calls: string[] = [];
  const system = fakeSyscalls({
    umask: () => 0,
    mkdirat: (_, path) => calls.push(`mkdir ${path}`) > 0,
    symlinkat: (target, _, path) => calls.push(`${path} -> ${target}`) > 0,
    ...answers,
  });
  const { findings } = collectFindings((report) => linkByNumber(system, memoryHost(tree), nodes, report));
  return { calls, findings };
}

describe("linkByNumber()", () => {
  it("creates the missing links", () => {
    expect(made(["symlink /dev/char/10:50 -> ../nvmap"], [NVMAP, GPU])).toEqual({
      calls: ["/dev/char/195:0 -> ../nvidia0"],
      findings: [],
    });
  });

  it("creates their directory once if it is missing", () => {
    const { calls } = made([], [NVMAP, GPU]);
    expect(calls).toEqual([
      "mkdir /dev/char",
      "/dev/char/10:50 -> ../nvmap",
      "/dev/char/195:0 -> ../nvidia0",
    ]);
  });

  it("links a node of another root by its absolute path", () => {
    const { calls } = made(["dir /dev/char"], [node("/run/nvidia/driver/dev/nvidia0", 195, 0)]);
    expect(calls).toEqual(["/dev/char/195:0 -> /run/nvidia/driver/dev/nvidia0"]);
  });

  it("leaves a link alone that leads elsewhere or nowhere", () => {
    expect(made(["symlink /dev/char/10:50 -> ../other"], [NVMAP]).calls).toEqual([]);
  });

  it("ignores block devices", () => {
    expect(made([], [node("/dev/sda", 8, 0, "b")]).calls).toEqual([]);
  });

  it("reports links that it cannot create and does not fail", () => {
    const symlinkat = () => {
      throw new SystemError("symlinkat", [], -EROFS);
    };
    const { findings } = made(["dir /dev/char"], [NVMAP, GPU], { symlinkat });
    expect(findings.map(({ code }) => code)).toEqual(["device-node-not-made", "device-node-not-made"]);
  });
});
