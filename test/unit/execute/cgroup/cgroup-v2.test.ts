import { describe, expect, it } from "vitest";
import { allowInCgroupV2 } from "../../../../src/execute/cgroup/cgroup-v2.ts";
import { newUndo } from "../../../../src/execute/undo.ts";
import type { DeviceRule } from "../../../../src/plan/operation.ts";
import { EPERM } from "../../../../src/sys/errno.ts";
import { Fd } from "../../../../src/sys/syscalls.ts";
import { catchError } from "../../../support/cli/catch-error.ts";
import { constantProgram, majorProgram, runDeviceProgram } from "../../../support/kernel/device-program.ts";
import { fakeBpf, type LoadedProgram } from "../../../support/kernel/fake-bpf.ts";
import { fakeSyscalls } from "../../../support/kernel/fake-syscalls.ts";

const ALONE = 0;
const OVERRIDE = 1;
const MULTI = 2;
const NEW = { replaces: true };
const OLD = { replaces: false };
const cgroup = new Fd(3, "/sys/fs/cgroup/x");
const RULES: readonly DeviceRule[] = [{ type: "c", major: 195, minor: 0, access: "rw" }];
const DENY: LoadedProgram = { instructions: constantProgram(0) };
const TEN: LoadedProgram = { instructions: majorProgram(10) };

/** Allows `RULES` and reports whether every attached program accepts a request. */
function allow(bpf: ReturnType<typeof fakeBpf>, undo = newUndo()) {
  allowInCgroupV2(fakeSyscalls(bpf.system), cgroup, RULES, undo);
  return (major: number): boolean =>
    bpf
      .attached()
      .every((program) => runDeviceProgram(program, { type: "c", major, minor: 0, access: "rw" }) === 1);
}

describe("allowInCgroupV2()", () => {
  it.each([
    ["replaces one of several", MULTI, NEW, ["load", "replace"]],
    ["attaches, then detaches, before Linux 5.6", MULTI, OLD, ["load", "replace", "attach", "detach"]],
    ["attaches over a lone program", ALONE, NEW, ["load", "attach"]],
    ["attaches over a program that may be overridden", OVERRIDE, OLD, ["load", "attach"]],
  ])("%s", (_, flags, kernel, changes) => {
    const bpf = fakeBpf([TEN], flags, kernel);
    const allowed = allow(bpf);
    expect([allowed(195), allowed(10), allowed(11)]).toEqual([true, true, false]);
    expect(bpf.attached()).toHaveLength(1);
    expect(bpf.changes).toEqual(changes);
  });

  it("extends every attached program, since all of them must agree", () => {
    const bpf = fakeBpf([DENY, TEN, DENY], MULTI, NEW);
    expect(allow(bpf)(195)).toBe(true);
    expect(bpf.attached()).toHaveLength(3);
  });

  it("changes nothing in a cgroup without a program, which allows everything", () => {
    const bpf = fakeBpf([], MULTI, NEW);
    allow(bpf);
    expect(bpf.changes).toEqual([]);
  });

  it.each([
    ["since Linux 5.6", MULTI, NEW],
    ["before Linux 5.6", MULTI, OLD],
    ["with a lone program", ALONE, NEW],
  ])("restores the original programs %s", (_, flags, kernel) => {
    const programs = flags === MULTI ? [DENY, TEN] : [TEN];
    const bpf = fakeBpf(programs, flags, kernel);
    const undo = newUndo();
    allow(bpf, undo);
    expect(undo.rollBack()).toEqual([]);
    const sorted = (all: readonly Uint8Array[]) => all.map((bytes) => bytes.join(" ")).sort();
    expect(sorted(bpf.attached())).toEqual(sorted(programs.map(({ instructions }) => instructions)));
  });

  it.each<[string, LoadedProgram]>([
    ["uses maps", { ...TEN, maps: 1 }],
    ["shows no instructions", { instructions: new Uint8Array() }],
    ["hides its instructions", { ...TEN, blinded: true }],
  ])("leaves a program alone that %s, and hints what to do", (_, program) => {
    const bpf = fakeBpf([program], MULTI, NEW);
    const error = catchError(() => allow(bpf));
    expect(error.code).toBe("operation-failed");
    expect(error.lines).toHaveLength(1);
    expect(bpf.changes).toEqual([]);
  });

  it("throws if the kernel loads no program, and attaches nothing", () => {
    const bpf = fakeBpf([TEN], MULTI, { replaces: true, refuses: true });
    expect(catchError(() => allow(bpf))).toMatchObject({ code: "system-call", errno: EPERM });
    expect(bpf.attached()).toEqual([TEN.instructions]);
  });
});
