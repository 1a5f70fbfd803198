import { describe, expect, it } from "vitest";
import { extendDeviceProgram, INSTRUCTION_BYTES } from "../../../../src/execute/cgroup/device-program.ts";
import type { DeviceRule } from "../../../../src/plan/operation.ts";
import { constantProgram, majorProgram, runDeviceProgram } from "../../../support/kernel/device-program.ts";

const DENY = constantProgram(0);
const NVIDIA: DeviceRule = { type: "c", major: 195, minor: 255, access: "rw" };
const ask = (program: Uint8Array, access: string, { type, major, minor } = NVIDIA): number =>
  runDeviceProgram(program, { type, major, minor, access });

describe("extendDeviceProgram()", () => {
  const program = extendDeviceProgram([NVIDIA], DENY);

  it.each(["r", "w", "rw"])("allows %s of a device with rw", (access) => {
    expect(ask(program, access)).toBe(1);
  });

  it.each(["m", "rm", "rwm"])("does not allow %s of a device with rw", (access) => {
    expect(ask(program, access)).toBe(0);
  });

  it("does not allow another type, major or minor", () => {
    for (const other of [
      { type: "b" as const },
      { major: 196 },
      { minor: 254 },
      { major: 255, minor: 195 },
    ]) {
      expect(ask(program, "r", { ...NVIDIA, ...other })).toBe(0);
    }
  });

  it("does not combine two rules into an access that neither grants", () => {
    const split = extendDeviceProgram(
      [
        { ...NVIDIA, access: "r" },
        { ...NVIDIA, access: "w" },
      ],
      DENY,
    );
    expect([ask(split, "r"), ask(split, "w"), ask(split, "rw")]).toEqual([1, 1, 0]);
  });

  it("leaves uncovered requests to the program, which finds the context in r1", () => {
    const extended = extendDeviceProgram([NVIDIA], majorProgram(10));
    expect(ask(extended, "rwm", { ...NVIDIA, major: 10, minor: 50 })).toBe(1);
    expect(ask(extended, "rwm", { ...NVIDIA, major: 11, minor: 50 })).toBe(0);
    expect(ask(extended, "rw")).toBe(1);
  });

  it("keeps the program unchanged at the end", () => {
    const existing = majorProgram(10);
    const extended = extendDeviceProgram([NVIDIA, NVIDIA], existing);
    expect(extended.subarray(extended.length - existing.length)).toEqual(existing);
    expect(extended.length % INSTRUCTION_BYTES).toBe(0);
  });

  it("can extend its own result", () => {
    const twice = extendDeviceProgram([{ ...NVIDIA, minor: 0 }], program);
    expect([ask(twice, "rw"), ask(twice, "rw", { ...NVIDIA, minor: 0 }), ask(twice, "m")]).toEqual([1, 1, 0]);
  });

  it("grants nothing for a rule without access", () => {
    const none = extendDeviceProgram([{ ...NVIDIA, access: "" }], DENY);
    for (const access of ["r", "w", "m"]) expect(ask(none, access)).toBe(0);
  });

  it("distinguishes the largest device numbers", () => {
    const largest = { type: "b" as const, major: 0xfff, minor: 0xfffff, access: "rwm" };
    const extended = extendDeviceProgram([largest], DENY);
    expect(ask(extended, "rwm", largest)).toBe(1);
    expect(ask(extended, "r", { ...largest, minor: 0xffffe })).toBe(0);
  });
});
