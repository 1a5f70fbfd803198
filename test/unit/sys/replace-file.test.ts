import { describe, expect, it } from "vitest";
import { hostPath } from "../../../src/model/paths.ts";
import { EROFS } from "../../../src/sys/errno.ts";
import { replaceFile } from "../../../src/sys/replace-file.ts";
import { Fd, type Stat, type Syscalls } from "../../../src/sys/syscalls.ts";
import { SystemError } from "../../../src/sys/system-error.ts";
import { encodeUtf8 } from "../../../src/text/utf8.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { fakeSyscalls } from "../../support/kernel/fake-syscalls.ts";

const PATH = hostPath("/b/config.json");
const TEMPORARY = ".config.json.nvoci-7";

/** A kernel that records changes; the call `failing` is refused, only for one file if it is named. */
function recording(
  names: Readonly<Record<string, Partial<Stat>>>,
  failing: keyof Syscalls | readonly (keyof Syscalls)[] = [],
  only?: string,
) {
  const calls: string[] = [];
  const note =
    (name: keyof Syscalls) =>
    (...args: readonly unknown[]) => {
      calls.push([name, ...args.map((value) => (value instanceof Fd ? value.origin : `${value}`))].join(" "));
      const subject = args[0] instanceof Fd ? args[0].origin : "";
      if ([failing].flat().includes(name) && (only === undefined || only === subject))
        throw new SystemError(name, [], -EROFS);
    };
  const made = (["fchownat", "fchmodat", "fsync", "renameat", "unlinkat", "write", "close"] as const).map(
    (name) => [name, note(name)],
  );
  const system = fakeSyscalls({
    getpid: () => 7,
    statx: (_, name) => names[name] as Stat | undefined,
    openat: (_, path) => {
      note("openat")(path);
      return new Fd(5, path);
    },
    ...Object.fromEntries(made),
  });
  return { system, calls };
}

describe("replaceFile()", () => {
  it("keeps mode and owner, and replaces the whole content by one rename", () => {
    const { system, calls } = recording({ "config.json": { type: "file", mode: 0o640, uid: 3, gid: 4 } });
    replaceFile(system, PATH, encodeUtf8("x"), { synced: false });
    expect(calls).toEqual([
      "openat /b",
      `openat ${TEMPORARY}`,
      `write ${TEMPORARY} 120`,
      `fchownat /b ${TEMPORARY} 3 4 256`,
      `fchmodat /b ${TEMPORARY} ${0o640}`,
      `renameat /b ${TEMPORARY} /b config.json`,
      `close ${TEMPORARY}`,
      "close /b",
    ]);
  });

  it("syncs the content before the rename and the directory after it", () => {
    const { system, calls } = recording({});
    replaceFile(system, PATH, encodeUtf8("x"), { synced: true });
    const order = calls.filter((call) => /^(?:fsync|renameat)/.test(call));
    expect(order).toEqual([`fsync ${TEMPORARY}`, `renameat /b ${TEMPORARY} /b config.json`, "fsync /b"]);
    expect(calls).toContain(`fchmodat /b ${TEMPORARY} ${0o644}`);
    expect(calls.filter((call) => call.startsWith("fchownat"))).toEqual([]);
  });

  it.each(["write", "fchmodat", "renameat"] as const)("leaves nothing behind when %s() fails", (failing) => {
    const { system, calls } = recording(
      { "config.json": { type: "file", mode: 0o644, uid: 0, gid: 0 } },
      failing,
    );
    const error = catchError(() => replaceFile(system, PATH, encodeUtf8("x"), { synced: false }));
    expect(error).toMatchObject({ errno: EROFS });
    expect(calls.slice(-3)).toEqual([`unlinkat /b ${TEMPORARY} 0`, `close ${TEMPORARY}`, "close /b"]);
  });

  it("copies the mode of regular files only: a link's own is 0777", () => {
    const { system, calls } = recording({ "config.json": { type: "symlink", mode: 0o777, uid: 3, gid: 4 } });
    replaceFile(system, PATH, encodeUtf8("x"), { synced: false });
    expect(calls.filter((call) => /^fch/.test(call))).toEqual([`fchmodat /b ${TEMPORARY} ${0o644}`]);
  });

  it("reports a failed fsync() of the directory, and removes nothing after the rename", () => {
    const { system, calls } = recording({}, "fsync", "/b");
    const error = catchError(() => replaceFile(system, PATH, encodeUtf8("x"), { synced: true }));
    expect(error).toMatchObject({ errno: EROFS, call: expect.stringContaining("fsync") });
    expect(calls.filter((call) => call.startsWith("unlinkat"))).toEqual([]);
    expect(calls.at(-1)).toBe("close /b");
  });

  it("reports the first failure even if removing the new file fails too", () => {
    const { system } = recording({}, ["write", "unlinkat"]);
    const error = catchError(() => replaceFile(system, PATH, encodeUtf8("x"), { synced: false }));
    expect(error).toMatchObject({ call: expect.stringContaining("write") });
  });

  it("removes the leftover of a killed process", () => {
    const { system, calls } = recording({ [TEMPORARY]: {} });
    replaceFile(system, PATH, encodeUtf8("x"), { synced: false });
    expect(calls.slice(0, 3)).toEqual(["openat /b", `unlinkat /b ${TEMPORARY} 0`, `openat ${TEMPORARY}`]);
  });
});
