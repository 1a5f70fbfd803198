import { describe, expect, it } from "vitest";
import { makeNodes } from "../../../src/host-setup/make-nodes.ts";
import type { NodePlan, SetupAction } from "../../../src/host-setup/plan-nodes.ts";
import { hostPath } from "../../../src/model/paths.ts";
import { EACCES, EROFS } from "../../../src/sys/errno.ts";
import type { Syscalls } from "../../../src/sys/syscalls.ts";
import { SystemError } from "../../../src/sys/system-error.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";
import { fakeSyscalls } from "../../support/kernel/fake-syscalls.ts";

const path = hostPath("/dev/nvidia0");
const makeNode = (ids: { uid?: number; gid?: number } = {}): SetupAction => ({
  do: "make-node",
  path,
  major: 195,
  minor: 0,
  mode: 0o660,
  uid: 0,
  gid: 0,
  ...ids,
});
const makeLink: SetupAction = { do: "make-link", path: hostPath("/dev/char/195:0"), target: "../nvidia0" };
const plan = (...actions: readonly SetupAction[]): NodePlan => ({ path, actions });

/** A kernel that succeeds unless the test says otherwise, and records its calls. */
function kernel(answers: Partial<Syscalls> = {}): { system: Syscalls; calls: string[] } {
  const calls: string[] = [];
  const note =
    <T>(name: string, answer: T) =>
    (...args: readonly unknown[]): T => {
      calls.push(`${name} ${args.filter((arg) => typeof arg !== "object").join(" ")}`);
      return answer;
    };
  const system = fakeSyscalls({
    umask: note("umask", 0o27),
    mkdirat: note("mkdirat", true),
    mknodat: note("mknodat", true),
    symlinkat: note("symlinkat", true),
    unlinkat: note("unlinkat", undefined),
    fchownat: note("fchownat", undefined),
    ...answers,
  });
  return { system, calls };
}

const failing = (call: string, errno: number) => () => {
  throw new SystemError(call, [path], -errno);
};

const make = (system: Syscalls, plans: readonly NodePlan[]) =>
  collectFindings((report) => makeNodes(system, plans, report));

describe("makeNodes()", () => {
  it("creates a node with its full mode whatever the umask is, and restores the umask", () => {
    const { system, calls } = kernel();
    make(system, [plan(makeNode())]);
    expect(calls).toEqual(["umask 0", `mknodat ${path} ${0o20660}`, `umask ${0o27}`]);
  });

  it("changes a node's owner before anything else", () => {
    const { system, calls } = kernel();
    make(system, [plan(makeNode({ gid: 44 }), makeLink)]);
    expect(calls.slice(2, 4)).toEqual([`fchownat ${path} 0 44 0`, "symlinkat ../nvidia0 /dev/char/195:0"]);
  });

  it("returns what it did, not what another process had already done", () => {
    const { system, calls } = kernel({ mknodat: () => false });
    const { value: done, findings } = make(system, [plan(makeNode({ gid: 44 }), makeLink)]);
    expect(done).toEqual([makeLink]);
    expect(findings).toEqual([]);
    expect(calls.join()).not.toContain("fchownat");
  });

  it("reports a failed call, skips what depends on it, and continues", () => {
    const { system } = kernel({ mknodat: failing("mknodat", EROFS) });
    const other: NodePlan = { path: hostPath("/dev/nvidia1"), actions: [makeLink] };
    const { value: done, findings } = make(system, [plan(makeNode(), makeLink), other]);
    expect(done).toEqual([makeLink]);
    const reason = expect.stringMatching(/^mknodat\(.* = -1 EROFS/);
    expect(findings).toMatchObject([
      { code: "device-node-not-made", severity: "warning", args: { path, reason } },
    ]);
  });

  it("removes a node whose owner it cannot set", () => {
    const { system, calls } = kernel({ fchownat: failing("fchownat", EACCES) });
    expect(make(system, [plan(makeNode({ gid: 44 }))]).value).toEqual([]);
    expect(calls.slice(2)).toEqual([`unlinkat ${path} 0`, `umask ${0o27}`]);
  });

  it("does not create a node if it cannot remove what is in the way", () => {
    const { system, calls } = kernel({ unlinkat: failing("unlinkat", EACCES) });
    const { value: done } = make(system, [plan({ do: "remove", path }, makeNode())]);
    expect(done).toEqual([]);
    expect(calls).toEqual(["umask 0", `umask ${0o27}`]);
  });
});
