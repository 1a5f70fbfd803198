import { describe, expect, it } from "vitest";
import {
  checkCgroup,
  checkKernel,
  checkLdconfig,
  checkRuntime,
} from "../../../../src/cli/doctor/check-system.ts";
import { DEFAULT_CONFIG } from "../../../../src/config/config.ts";
import { EBADF, ENOSYS, EPERM } from "../../../../src/sys/errno.ts";
import { SystemError } from "../../../../src/sys/system-error.ts";
import { commandContext } from "../../../support/cli/command-context.ts";
import { memoryHost } from "../../../support/host/memory-host.ts";

const text = (content: string): string => JSON.stringify(content);

describe("checkKernel()", () => {
  const fail = (errno: number) => () => {
    throw new SystemError("probe", [], -errno);
  };
  const kernel = (openat2: number, others: number) =>
    checkKernel(
      commandContext({
        tree: 'file /proc/sys/kernel/osrelease = "4.9.253-tegra\\n"',
        system: { openat2: fail(openat2), open_tree: fail(others), mount_setattr: fail(others) },
      }),
    );

  it("lists system calls that the kernel lacks without reporting a problem", () => {
    expect(kernel(ENOSYS, ENOSYS)).toEqual({
      code: "kernel",
      status: "ok",
      args: {
        release: "4.9.253-tegra",
        missing: [/openat2/, /open_tree/, /mount_setattr/].map((part) => expect.stringMatching(part)),
      },
    });
  });

  it.each([EBADF, EPERM])("does not treat errno %i as a missing call", (errno) => {
    expect(kernel(errno, ENOSYS)).toMatchObject({
      args: { missing: [/open_tree/, /mount/].map((part) => expect.stringMatching(part)) },
    });
  });

  it("passes the kernel only descriptors and paths that cannot exist", () => {
    const used: unknown[] = [];
    const record = (fd: { number: number }, path: string) => {
      used.push([fd.number, path]);
      throw new SystemError("probe", [], -EBADF);
    };
    checkKernel(commandContext({ system: { openat2: record, open_tree: record, mount_setattr: record } }));
    expect(used).toEqual([
      [-1, "x"],
      [-1, "x"],
      [-1, "x"],
    ]);
  });

  it("rethrows programming errors", () => {
    const openat2 = () => {
      throw new TypeError("bug");
    };
    expect(() => checkKernel(commandContext({ system: { openat2 } }))).toThrow(TypeError);
  });
});

describe("checkCgroup()", () => {
  const V1 = "31 1 0:27 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n";
  const V2 = "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  const cgroup = (mounts: string, noCgroups = false) =>
    checkCgroup(memoryHost([`file /proc/self/mountinfo = ${text(mounts)}`]), noCgroups);

  it.each([
    [V2, 2],
    [V1, 1],
    [V2 + V1, 1],
    [`32 1 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n${V2}`, 2],
  ])("detects from %j that version %i decides", (mounts, version) => {
    expect(cgroup(mounts)).toEqual({ code: "cgroup", status: "ok", args: { version } });
  });

  it("fails without cgroups, unless they are disabled", () => {
    expect(cgroup("20 1 0:5 / /proc rw - proc proc rw\n")).toMatchObject({
      code: "cgroup-none",
      status: "fail",
    });
    expect(cgroup("", true)).toMatchObject({ code: "cgroup-none", status: "ok" });
    expect(checkCgroup(memoryHost("dir /proc"), false)).toMatchObject({ status: "fail" });
  });
});

describe("checkLdconfig()", () => {
  it("warns where the host has none, and that images may run their own if allowed", () => {
    const host = memoryHost("dir /sbin");
    expect(checkLdconfig(host, { config: DEFAULT_CONFIG, file: undefined })).toMatchObject([
      { code: "ldconfig-missing", status: "warn" },
    ]);
    const features = { ...DEFAULT_CONFIG.features, allowLdconfigFromContainer: true };
    expect(checkLdconfig(host, { config: { ...DEFAULT_CONFIG, features }, file: undefined })).toMatchObject([
      { code: "ldconfig-image", status: "ok" },
    ]);
  });

  it("warns about a host's ldconfig that is a script", () => {
    const host = memoryHost('file /sbin/ldconfig = "#!/bin/sh"');
    expect(checkLdconfig(host, { config: DEFAULT_CONFIG, file: undefined })).toMatchObject([
      { code: "finding", status: "warn", args: { finding: { code: "ldconfig-unusable" } } },
      { code: "ldconfig-missing" },
    ]);
  });

  it("warns where it is disabled", () => {
    const config = { ...DEFAULT_CONFIG, nvoci: { ...DEFAULT_CONFIG.nvoci, ldconfig: false } };
    expect(checkLdconfig(memoryHost(""), { config, file: undefined })).toMatchObject([
      { code: "ldconfig-none", status: "warn" },
    ]);
  });
});

describe("checkRuntime()", () => {
  it("finds the first runtime of the list", () => {
    const host = memoryHost("file /usr/bin/crun\nfile /usr/sbin/runc");
    expect(checkRuntime(host, DEFAULT_CONFIG)).toMatchObject({
      code: "runtime-found",
      status: "ok",
      args: { path: "/usr/sbin/runc" },
    });
  });

  it("warns when there is none", () => {
    expect(checkRuntime(memoryHost("dir /usr/bin"), DEFAULT_CONFIG)).toMatchObject({
      code: "runtime-missing",
      status: "warn",
      args: { names: ["runc", "crun"] },
    });
  });
});
