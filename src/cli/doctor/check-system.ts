import type { Config } from "../../config/config.ts";
import type { LoadedConfig } from "../../config/load-config.ts";
import { chooseLdconfig } from "../../discover/choose-ldconfig.ts";
import { isDeviceHierarchy, parseMountTable } from "../../execute/mount/mount-table.ts";
import { type Check, check } from "../../model/check.ts";
import type { Finding } from "../../model/finding.ts";
import { hostPath } from "../../model/paths.ts";
import { type HostView, readText } from "../../model/views.ts";
import { RESOLVE_IN_ROOT } from "../../sys/constants.ts";
import { ENOSYS } from "../../sys/errno.ts";
import { Fd, type Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import { DEBIAN_IMAGE } from "../imaginary-container.ts";
import type { HostFacts } from "./host-facts.ts";
import { findProgram } from "./programs.ts";

/** An invalid descriptor: a kernel that has the call returns EBADF and does nothing. */
const NONE = new Fd(-1, "none");

/** System calls that nvoci can do without, each with the kernel version that added it. */
const NEWER_CALLS: Readonly<Record<string, (system: Syscalls) => void>> = {
  "openat2 (5.6)": (system) =>
    system.close(system.openat2(NONE, "x", { flags: 0, resolve: RESOLVE_IN_ROOT })),
  "open_tree (5.2)": (system) => system.close(system.open_tree(NONE, "x", 0)),
  "mount_setattr (5.12)": (system) => system.mount_setattr(NONE, "x", 0, { attrSet: 0 }),
};

/** Reports which newer system calls the kernel lacks, or a seccomp filter hides. */
export function checkKernel({ system, host }: Pick<HostFacts, "system" | "host">): Check {
  const text = readText(host, hostPath("/proc/sys/kernel/osrelease"));
  const missing = Object.keys(NEWER_CALLS).filter((name) => isMissing(system, NEWER_CALLS[name]));
  return check("ok", "kernel", { release: text?.trim() || "unknown", missing });
}

function isMissing(system: Syscalls, call: ((calls: Syscalls) => void) | undefined): boolean {
  try {
    call?.(system);
    return false;
  } catch (error) {
    if (error instanceof SystemError) return error.errno === ENOSYS;
    throw error;
  }
}

/** Reports which ldconfig updates containers' caches. */
export function checkLdconfig(host: HostView, { config, file }: LoadedConfig): readonly Check[] {
  const findings: Finding[] = [];
  const ldconfig = chooseLdconfig(host, DEBIAN_IMAGE, config, (found) => findings.push(found));
  const unusable = findings
    .filter(({ severity }) => severity === "warning")
    .map((finding) => check("warn", "finding", { finding }));
  if (ldconfig === undefined) {
    const reason = config.nvoci.ldconfig
      ? check("warn", "ldconfig-missing", {})
      : check("warn", "ldconfig-none", { file: file ?? "config.toml" });
    return [...unusable, reason];
  }
  const { path } = ldconfig;
  return ldconfig.from === "host"
    ? [...unusable, check("ok", "ldconfig-host", { path })]
    : [...unusable, check("ok", "ldconfig-image", { path })];
}

/**
 * Reports which cgroup version controls devices on this host: version 1 if its devices controller is mounted.
 *
 * @see proc_pid_mountinfo(5)
 */
export function checkCgroup(host: HostView, noCgroups: boolean): Check {
  const table = parseMountTable(readText(host, hostPath("/proc/self/mountinfo")) ?? "");
  for (const version of [1, 2] as const) {
    if (table.some((mount) => isDeviceHierarchy(mount, version))) return check("ok", "cgroup", { version });
  }
  return check(noCgroups ? "ok" : "fail", "cgroup-none", {});
}

/** Reports whether the wrapper finds a runtime to become. */
export function checkRuntime(host: HostView, config: Config): Check {
  const names = config.nvidiaContainerRuntime.runtimes;
  const path = names.map((name) => findProgram(host, name)).find((found) => found !== undefined);
  return path === undefined
    ? check("warn", "runtime-missing", { names })
    : check("ok", "runtime-found", { path });
}
