import { describe, expect, it } from "vitest";
import { type ExecuteContext, execute } from "../../../src/execute/execute.ts";
import { NvociError } from "../../../src/model/errors.ts";
import { containerPath } from "../../../src/model/paths.ts";
import type { Operation } from "../../../src/plan/operation.ts";
import { EBUSY, EEXIST, ENOSPC, ENOTDIR, EROFS } from "../../../src/sys/errno.ts";
import { Fd } from "../../../src/sys/syscalls.ts";
import { SystemError } from "../../../src/sys/system-error.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";
import { fakeSyscalls } from "../../support/kernel/fake-syscalls.ts";

const link = (path: string): Operation => ({
  op: "make-link",
  path: containerPath(path),
  target: "libx.so.1",
  source: `l4t.csv:${path.length}`,
});
const DEVICES: Operation = {
  op: "allow-devices",
  rules: [{ type: "c", major: 195, minor: 0, access: "rw" }],
  source: "injected devices",
};

/** A root without content, whose links are written down. `fails` are errnos by the name that a link would get. */
function container(
  fails: Readonly<Record<string, number>> = {},
  allowDevices: ExecuteContext["allowDevices"] = () => {},
) {
  const links = new Set<string>();
  const masks: number[] = [];
  let mask = 0o22;
  const system = fakeSyscalls({
    openat2: (_, path) => {
      const errno = fails[path];
      if (errno !== undefined) throw new SystemError("openat2", [], -errno);
      return new Fd(9, path);
    },
    // The lock, and a mount table without a line.
    openat: (_, path) => new Fd(8, path),
    openatIfThere: () => undefined,
    flock: () => true,
    read: () => 0,
    decode: () => "",
    statxMountId: () => 1,
    readlinkat: (_, name) => (links.has(name) ? "libx.so.1" : undefined),
    close: () => {},
    ignoreWriteSignals: () => {},
    umask: (next) => {
      masks.push(next);
      const last = mask;
      mask = next;
      return last;
    },
    symlinkat: (_, directory, name) => {
      const errno = fails[name];
      if (errno === EEXIST) return false;
      if (errno !== undefined) throw new SystemError("symlinkat", [directory, name], -errno);
      links.add(name);
      return true;
    },
    statx: (_, name) => (links.has(name) ? { type: "symlink" } : undefined) as never,
    unlinkat: (_, name) => void links.delete(name),
  });
  const confinement = { owner: { uid: 0, gid: 0 } } as ExecuteContext["confinement"];
  const context = { system, root: new Fd(3, "/rootfs"), containerName: "4f2c9a", confinement, allowDevices };
  return { context, links, mask: () => mask, masks };
}

/** Executes, and gives what is reported. */
const run = (operations: readonly Operation[], context: Omit<ExecuteContext, "report">) =>
  collectFindings((report) => execute(operations, { ...context, report })).findings;

describe("execute()", () => {
  it("makes operations in order, under a mask that keeps every mode", () => {
    const { context, links, mask, masks } = container();
    expect(run([link("/lib/a"), link("/lib/b")], context)).toEqual([]);
    expect([...links]).toEqual(["a", "b"]);
    expect([masks, mask()]).toEqual([[0, 0o22], 0o22]);
  });

  it("takes everything back when an operation fails, and sets the mask back", () => {
    const { context, links, mask } = container({ c: ENOSPC });
    expect(() => run([link("/a"), link("/b"), link("/c")], context)).toThrow(NvociError);
    expect([...links]).toEqual([]);
    expect(mask()).toBe(0o22);
  });

  it("names the operation, the call and who asked for it", () => {
    const { context } = container({ bb: ENOSPC });
    const error = catchError(() => run([link("/a"), link("/bb")], context));
    expect(error.code).toBe("operation-failed");
    expect(error.message).toBe('Cannot make the link "/bb" in container 4f2c9a: ENOSPC');
    expect(error.lines).toEqual([
      "requested by l4t.csv:3 (operation 2 of 2)",
      "hint: the container's file system is full, or has no free inodes (df -h, df -i)",
      'symlinkat(9 ("/"), "bb") = -1 ENOSPC (No space left on device)',
    ]);
  });

  it("has a hint for a root that is read-only", () => {
    const { context } = container({ a: EROFS });
    expect(catchError(() => run([link("/a")], context)).hint).toContain("read-only");
  });

  it("goes on with a finding where the image has a file in the place of a directory", () => {
    const { context, links } = container({ "/file": ENOTDIR });
    const findings = run([link("/a"), link("/file/b"), link("/c")], context);
    expect(findings).toMatchObject([
      {
        code: "container-file-in-the-way",
        severity: "warning",
        source: "l4t.csv:7",
        args: { path: "/file" },
      },
    ]);
    expect([...links]).toEqual(["a", "c"]);
  });

  it("keeps the class and the words of an error that is not a system call's", () => {
    const { context, links } = container({}, () => {
      throw new NvociError("ldconfig-failed", "Cannot x: y", { output: ["its own words"] });
    });
    const error = catchError(() => run([link("/a"), DEVICES], context));
    expect(error).toMatchObject({ code: "ldconfig-failed", message: "Cannot x: y" });
    expect(error.lines).toEqual(["its own words", "requested by injected devices (operation 2 of 2)"]);
    expect(links.size).toBe(0);
  });

  it("takes a bug back too, and does not dress it up", () => {
    const { context, links } = container({}, () => {
      throw new TypeError("bug");
    });
    expect(() => run([link("/a"), DEVICES], context)).toThrow(TypeError);
    expect(links.size).toBe(0);
  });

  it("keeps what was done when tidying up fails, and says what is left", () => {
    const { context, links } = container({}, (_, undo) => {
      undo.onCommit(() => {
        throw new SystemError("unlinkat", [], -EBUSY);
      });
    });
    const findings = run([link("/a"), DEVICES], context);
    expect(findings).toMatchObject([{ code: "container-leftover", severity: "warning" }]);
    expect(links.size).toBe(1);
  });
});
