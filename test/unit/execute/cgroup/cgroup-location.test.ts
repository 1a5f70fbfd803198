import { describe, expect, it } from "vitest";
import { locateDeviceCgroup } from "../../../../src/execute/cgroup/cgroup-location.ts";
import { catchError } from "../../../support/cli/catch-error.ts";

/** Returns a line of mountinfo. */
const mounted = (root: string, point: string, type: string, options: string): string =>
  `35 24 0:30 ${root} ${point} rw,nosuid shared:12 master:1 - ${type} ${type} ${options}`;

const V2 = mounted("/", "/sys/fs/cgroup", "cgroup2", "rw,nsdelegate");
const HYBRID_V2 = mounted("/", "/sys/fs/cgroup/unified", "cgroup2", "rw,nsdelegate");
const V1 = [
  "24 1 8:1 / / rw - ext4 /dev/sda1 rw",
  mounted("/", "/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct"),
  mounted("/", "/sys/fs/cgroup/devices", "cgroup", "rw,devices"),
].join("\n");

describe("locateDeviceCgroup()", () => {
  it("finds the unified hierarchy on a version 2 host", () => {
    expect(locateDeviceCgroup("0::/system.slice/docker-4f.scope\n", `${V2}\n`)).toEqual({
      version: 2,
      path: "/sys/fs/cgroup/system.slice/docker-4f.scope",
    });
  });

  it("finds the devices hierarchy on a version 1 host among other mounts", () => {
    const cgroup = "12:cpu,cpuacct:/other\n7:devices:/docker/4f\n1:name=systemd:/docker/4f\n";
    expect(locateDeviceCgroup(cgroup, V1)).toEqual({ version: 1, path: "/sys/fs/cgroup/devices/docker/4f" });
  });

  it("prefers version 1 on a hybrid host with both", () => {
    const cgroup = "7:devices:/docker/4f\n0::/docker/4f\n";
    expect(locateDeviceCgroup(cgroup, `${HYBRID_V2}\n${V1}`)).toMatchObject({ version: 1 });
  });

  it("uses version 2 on a hybrid host whose version 1 has no devices controller", () => {
    const cpuOnly = mounted("/", "/sys/fs/cgroup/cpu", "cgroup", "rw,cpu");
    expect(locateDeviceCgroup("3:cpu:/x\n0::/a\n", `${cpuOnly}\n${HYBRID_V2}`)).toEqual({
      version: 2,
      path: "/sys/fs/cgroup/unified/a",
    });
  });

  it("finds a devices controller in a shared hierarchy", () => {
    const joined = mounted("/", "/sys/fs/cgroup/all", "cgroup", "rw,cpu,devices,memory");
    expect(locateDeviceCgroup("2:cpu,devices,memory:/a\n", joined)).toMatchObject({
      path: "/sys/fs/cgroup/all/a",
    });
  });

  it("does not match a controller with a longer name", () => {
    const other = mounted("/", "/sys/fs/cgroup/x", "cgroup", "rw,devices2");
    expect(() => locateDeviceCgroup("2:devices2:/a\n", other)).toThrow();
  });

  it("removes the part of the path above the mount's root", () => {
    const nested = mounted("/docker/outer", "/sys/fs/cgroup/devices", "cgroup", "rw,devices");
    expect(locateDeviceCgroup("7:devices:/docker/outer/inner\n", nested)).toEqual({
      version: 1,
      path: "/sys/fs/cgroup/devices/inner",
    });
    expect(locateDeviceCgroup("7:devices:/docker/outer\n", nested)).toEqual({
      version: 1,
      path: "/sys/fs/cgroup/devices",
    });
  });

  it("uses the mount that contains the cgroup if another shows a different part of the hierarchy", () => {
    const part = mounted("/other", "/srv/part", "cgroup2", "rw");
    expect(locateDeviceCgroup("0::/docker/4f\n", `${part}\n${V2}`)).toMatchObject({
      path: "/sys/fs/cgroup/docker/4f",
    });
  });

  it("does not match a root with a longer name", () => {
    const nested = mounted("/docker/a", "/sys/fs/cgroup", "cgroup2", "rw");
    expect(catchError(() => locateDeviceCgroup("0::/docker/ab\n", nested)).code).toBe("operation-failed");
  });

  it("decodes spaces, tabs and backslashes in a mount point", () => {
    const odd = mounted("/", "/mnt/a\\040b\\134\\011c", "cgroup2", "rw");
    expect(locateDeviceCgroup("0::/x\n", odd)).toMatchObject({ path: "/mnt/a b\\\tc/x" });
  });

  it("keeps colons in a cgroup's name", () => {
    expect(locateDeviceCgroup("0::/system.slice:docker:4f\n", V2)).toMatchObject({
      path: "/sys/fs/cgroup/system.slice:docker:4f",
    });
  });

  it("reads lines with any number of optional fields", () => {
    const bare = "35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
    expect(locateDeviceCgroup("0::/x\n", bare)).toMatchObject({ path: "/sys/fs/cgroup/x" });
  });

  it.each([
    ["7:devices:/\n0::/user.slice\n", `${V1}\n${HYBRID_V2}`],
    ["0::/\n", V2],
  ])("refuses a process in the root cgroup (%j)", (cgroup, mountinfo) => {
    expect(locateDeviceCgroup(cgroup, mountinfo)).toBeUndefined();
  });

  it.each([
    ["a path outside the cgroup namespace", "0::/../4f\n", V2],
    [
      "a path outside the mounted part",
      "0::/elsewhere\n",
      mounted("/docker", "/sys/fs/cgroup", "cgroup2", "rw"),
    ],
    ["no mounted hierarchy", "0::/4f\n", "24 1 8:1 / / rw - ext4 /dev/sda1 rw\n"],
    ["no line for the process", "", V2],
    ["a version 1 process with only version 2 mounted", "7:devices:/a\n", V2],
    ["nothing at all", "", ""],
    ["invalid lines", "x\n:\n", "x - \n - cgroup2\n"],
  ])("refuses %s with a hint", (_, cgroup, mountinfo) => {
    const error = catchError(() => locateDeviceCgroup(cgroup, mountinfo));
    expect(error.code).toBe("operation-failed");
    expect(error.lines).toHaveLength(1);
  });
});
