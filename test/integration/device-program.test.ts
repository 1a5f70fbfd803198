import { beforeAll, expect, it } from "vitest";
import { extendDeviceProgram, INSTRUCTION_BYTES } from "../../src/execute/cgroup/device-program.ts";
import type { DeviceRule } from "../../src/plan/operation.ts";
import { EPERM } from "../../src/sys/errno.ts";
import { linux } from "../../src/sys/linux.ts";
import { Fd, type Syscalls } from "../../src/sys/syscalls.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";
import { constantProgram, majorProgram } from "../support/kernel/device-program.ts";
import { nodeEngine } from "../support/kernel/node-engine.ts";

const BPF_PROG_LOAD = 5;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const EACCES_OR_EINVAL = [-13, -22];

describeNeeding(["root", "build", "cgroup v2"], "the kernel's verifier", () => {
  let system: Syscalls;
  beforeAll(() => {
    system = linux(nodeEngine());
  });

  /** Loads a program and releases it. Returns the descriptor or `-errno`. */
  const load = (instructions: Uint8Array): number => {
    const attribute = new Uint8Array(64);
    const license = new TextEncoder().encode("Apache\0");
    const view = new DataView(attribute.buffer);
    view.setUint32(0, BPF_PROG_TYPE_CGROUP_DEVICE, true);
    view.setUint32(4, instructions.length / INSTRUCTION_BYTES, true);
    view.setBigUint64(8, BigInt(system.address(instructions)), true);
    view.setBigUint64(16, BigInt(system.address(license)), true);
    const result = system.bpf(BPF_PROG_LOAD, attribute);
    if (result >= 0) system.close(new Fd(result, "program"));
    return result;
  };
  const rules = (count: number): DeviceRule[] =>
    Array.from({ length: count }, (_, minor) => ({ type: "c", major: 195, minor, access: "rw" }));

  it.each([0, 1, 16, 200])("accepts the program that extendDeviceProgram() makes from %i rules", (count) => {
    for (const existing of [constantProgram(0), majorProgram(10)]) {
      expect(load(extendDeviceProgram(rules(count), existing))).toBeGreaterThanOrEqual(0);
    }
  });

  it("accepts a program extended twice", () => {
    const once = extendDeviceProgram(rules(3), majorProgram(10));
    expect(load(extendDeviceProgram(rules(2), once))).toBeGreaterThanOrEqual(0);
  });

  it("rejects rules that no program follows, which proves that it checks", () => {
    const result = load(extendDeviceProgram(rules(1), new Uint8Array()));
    expect(result).not.toBe(-EPERM);
    expect(EACCES_OR_EINVAL).toContain(result);
  });
});
