import { describe, expect, it } from "vitest";
import { allowInCgroupV1, missingAccess } from "../../../../src/execute/cgroup/device-cgroup.ts";
import { newUndo } from "../../../../src/execute/undo.ts";
import type { DeviceRule } from "../../../../src/plan/operation.ts";
import { EPERM } from "../../../../src/sys/errno.ts";
import { Fd } from "../../../../src/sys/syscalls.ts";
import { SystemError } from "../../../../src/sys/system-error.ts";
import { fakeSyscalls } from "../../../support/kernel/fake-syscalls.ts";

const rule = (access: string, major = 195, minor = 0): DeviceRule => ({ type: "c", major, minor, access });

describe("missingAccess()", () => {
  it.each([
    ["", "rw", "rw"],
    ["a *:* rwm\n", "rwm", ""],
    ["c 195:0 rw\n", "rw", ""],
    ["c 195:* rw\n", "rw", ""],
    ["c *:0 r\n", "rw", "w"],
    ["c *:* m\nb *:* m\n", "rwm", "rw"],
    ["c 195:0 r\nc 195:0 w\n", "rwm", "m"],
    ["b 195:0 rwm\n", "rw", "rw"],
    ["c 1950:0 rwm\n", "rw", "rw"],
    ["c 195:00 rwm\nc 195: rwm\nc 195 rwm\nc\n\n", "rw", "rw"],
    ["c 195:1 rwm\nc 19:0 rwm\n", "rw", "rw"],
  ])("returns for %j and request %s the missing access %j", (list, access, missing) => {
    expect(missingAccess(list, rule(access))).toBe(missing);
  });
});

/** A cgroup directory with a devices.list that records every write. */
function cgroup(list: string, refused?: string) {
  const files: string[] = [];
  const written: string[] = [];
  let open = 0;
  let unread = new TextEncoder().encode(list);
  const system = fakeSyscalls({
    openat: (_, path) => {
      open++;
      return new Fd(files.push(path), path);
    },
    close: () => void open--,
    read: (_, buffer) => {
      const chunk = unread.subarray(0, buffer.length);
      unread = unread.subarray(chunk.length);
      buffer.set(chunk);
      return chunk.length;
    },
    decode: (bytes, start, end) => new TextDecoder().decode(bytes.subarray(start, end)),
    write: ({ origin }, data) => {
      if (data === refused) throw new SystemError("write", [], -EPERM);
      written.push(`${origin} ${data}`);
    },
  });
  return { system, written, openFiles: () => open };
}

describe("allowInCgroupV1()", () => {
  const directory = new Fd(3, "/sys/fs/cgroup/devices/x");

  it("writes one rule at a time and only the missing access", () => {
    const { system, written, openFiles } = cgroup("c *:* m\nc 10:50 rwm\n");
    allowInCgroupV1(system, directory, [rule("rwm"), rule("rw", 10, 50), rule("r", 10, 51)], newUndo());
    expect(written).toEqual(["devices.allow c 195:0 rw", "devices.allow c 10:51 r"]);
    expect(openFiles()).toBe(0);
  });

  it("revokes what it granted and nothing that was granted before", () => {
    const { system, written } = cgroup("c 195:0 r\n");
    const undo = newUndo();
    allowInCgroupV1(system, directory, [rule("rw"), rule("rw", 10, 50)], undo);
    expect(undo.rollBack()).toEqual([]);
    expect(written.slice(2)).toEqual(["devices.deny c 10:50 rw", "devices.deny c 195:0 w"]);
  });

  it("stops at a refusal with earlier grants in the undo list", () => {
    const { system, written, openFiles } = cgroup("", "c 10:50 rw");
    const undo = newUndo();
    expect(() =>
      allowInCgroupV1(system, directory, [rule("rw"), rule("rw", 10, 50), rule("r", 1, 1)], undo),
    ).toThrow(SystemError);
    undo.rollBack();
    expect(written).toEqual(["devices.allow c 195:0 rw", "devices.deny c 195:0 rw"]);
    expect(openFiles()).toBe(0);
  });
});
