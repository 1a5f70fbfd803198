import { describe, expect, it } from "vitest";
import {
  checkCgroup,
  checkDevices,
  checkDocker,
  checkKernel,
  checkLdconfig,
  checkPrograms,
  findProgram,
} from "../../../src/cli/host-checks.ts";
import { DEFAULT_CONFIG } from "../../../src/config/config.ts";
import { containerPath, hostPath } from "../../../src/model/paths.ts";
import type { OperationOf } from "../../../src/plan/operation.ts";
import { EBADF, ENOSYS, EPERM } from "../../../src/sys/errno.ts";
import { SystemError } from "../../../src/sys/system-error.ts";
import { commandContext } from "../../support/cli/command-context.ts";
import { memoryHost } from "../../support/host/memory-host.ts";

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

describe("checkDocker()", () => {
  const daemon = (content: string, ...more: string[]) =>
    checkDocker(memoryHost([`file /etc/docker/daemon.json = ${text(content)}`, ...more]));
  const nvidia = { runtimes: { nvidia: { path: "nvidia-container-runtime" } } };
  const program = "file /usr/bin/nvidia-container-runtime";

  it("finds the runtime by name or path and whether it is the default", () => {
    expect(daemon(JSON.stringify(nvidia), program)).toMatchObject({
      code: "docker-runtime",
      status: "ok",
      args: { path: "nvidia-container-runtime", isDefault: false },
    });
    const other = { runtimes: { nvidia: { path: "/opt/nvoci" } }, "default-runtime": "nvidia" };
    expect(daemon(JSON.stringify(other), "file /opt/nvoci")).toMatchObject({ args: { isDefault: true } });
  });

  it("fails for a runtime whose path does not exist", () => {
    expect(daemon(JSON.stringify(nvidia))).toMatchObject({ code: "docker-runtime-broken", status: "fail" });
    const dangling = "symlink /usr/bin/nvidia-container-runtime -> gone";
    expect(daemon(JSON.stringify(nvidia), dangling)).toMatchObject({ status: "fail" });
  });

  it.each([
    ["{}"],
    [""],
    ['{"runtimes": null}'],
    ['{"runtimes": {"nvidia": {"path": 1}}}'],
    ["[]"],
  ])("warns that %j does not register a runtime", (content) =>
    expect(daemon(content)).toMatchObject({ code: "docker-runtime-unregistered", status: "warn" }));

  it("fails for an unregistered default runtime", () => {
    expect(daemon('{"default-runtime": "nvidia"}')).toMatchObject({ status: "fail" });
  });

  it.each([["{"], ["null"], ["1"]])("warns that %j is not a valid daemon.json", (content) => {
    expect(daemon(content)).toMatchObject({ code: "docker-unreadable", status: "warn" });
  });

  it("distinguishes a host without Docker from one without configuration", () => {
    expect(checkDocker(memoryHost("dir /etc"))).toMatchObject({ code: "docker-absent", status: "ok" });
    expect(checkDocker(memoryHost("file /usr/bin/dockerd"))).toMatchObject({
      code: "docker-runtime-unregistered",
      status: "warn",
    });
  });
});

describe("checkPrograms()", () => {
  it("finds the hook and the first runtime of the list", () => {
    const host = memoryHost(
      "file /usr/bin/nvidia-container-runtime-hook\nfile /usr/bin/crun\nfile /usr/sbin/runc",
    );
    expect(checkPrograms(host, DEFAULT_CONFIG)).toMatchObject([
      { code: "hook-found", status: "ok", args: { path: "/usr/bin/nvidia-container-runtime-hook" } },
      { code: "runtime-found", status: "ok", args: { path: "/usr/sbin/runc" } },
    ]);
  });

  it("warns about each missing program", () => {
    expect(checkPrograms(memoryHost("dir /usr/bin"), DEFAULT_CONFIG)).toMatchObject([
      { code: "hook-missing", status: "warn" },
      { code: "runtime-missing", status: "warn", args: { names: ["runc", "crun"] } },
    ]);
  });
});

describe("findProgram()", () => {
  it("does not search other directories for an absolute path", () => {
    expect(findProgram(memoryHost("file /usr/bin/x"), "/opt/x")).toBeUndefined();
  });
});

describe("checkDevices()", () => {
  const node = (name: string, fileMode: number): OperationOf<"bind-device"> => ({
    op: "bind-device",
    hostPath: hostPath(`/dev/${name}`),
    path: containerPath(`/dev/${name}`),
    type: "c",
    major: 10,
    minor: 1,
    fileMode,
    source: "l4t.csv:1",
  });

  it("fails where a container gets no devices", () => {
    expect(checkDevices(memoryHost(""), [])).toMatchObject([{ code: "devices-none", status: "fail" }]);
  });

  it("names the groups that can open restricted nodes", () => {
    const host = memoryHost(
      "char /dev/b 10:1 0660 0:993\nchar /dev/a 10:1 0660 0:44\nchar /dev/c 10:1 0660 0:44",
    );
    const nodes = [node("b", 0o660), node("a", 0o660), node("c", 0o664), node("open", 0o666)];
    expect(checkDevices(host, nodes)).toMatchObject([
      { code: "devices", status: "ok" },
      { code: "devices-closed", status: "ok", args: { count: 3, groups: [44, 993] } },
    ]);
  });

  it("does not mention groups where everyone can open every node", () => {
    expect(checkDevices(memoryHost(""), [node("a", 0o666)])).toMatchObject([{ code: "devices" }]);
  });
});

describe("checkLdconfig()", () => {
  it("warns where the host has none, and that images may run their own if allowed", () => {
    const host = memoryHost("dir /sbin");
    expect(checkLdconfig(host, DEFAULT_CONFIG)).toMatchObject([{ code: "ldconfig-missing", status: "warn" }]);
    const features = { ...DEFAULT_CONFIG.features, allowLdconfigFromContainer: true };
    expect(checkLdconfig(host, { ...DEFAULT_CONFIG, features })).toMatchObject([
      { code: "ldconfig-image", status: "ok" },
    ]);
  });

  it("warns about a host's ldconfig that is a script", () => {
    const host = memoryHost('file /sbin/ldconfig = "#!/bin/sh"');
    expect(checkLdconfig(host, DEFAULT_CONFIG)).toMatchObject([
      { code: "finding", status: "warn", args: { finding: { code: "ldconfig-unusable" } } },
      { code: "ldconfig-missing" },
    ]);
  });

  it("warns where it is disabled", () => {
    const config = { ...DEFAULT_CONFIG, nvoci: { ...DEFAULT_CONFIG.nvoci, ldconfig: false } };
    expect(checkLdconfig(memoryHost(""), config)).toMatchObject([{ code: "ldconfig-none", status: "warn" }]);
  });
});
