import { readText } from "../../model/host-view.ts";
import { hostPath } from "../../model/paths.ts";
import { type Check, check } from "../../render/check.ts";
import { RESOLVE_IN_ROOT } from "../../sys/constants.ts";
import { ENOSYS } from "../../sys/errno.ts";
import { Fd } from "../../sys/fd.ts";
import type { Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import type { CommandContext } from "../command.ts";

/** No descriptor: a kernel that has the call answers EBADF, and nothing is done. */
const NONE = new Fd(-1, "none");

/** Calls that have an older way in their place, with the kernel that brought them. */
const NEWER_CALLS: Readonly<Record<string, (system: Syscalls) => void>> = {
  "openat2 (5.6)": (system) =>
    system.close(system.openat2(NONE, "x", { flags: 0, resolve: RESOLVE_IN_ROOT })),
  "open_tree (5.2)": (system) => system.close(system.open_tree(NONE, "x", 0)),
  "mount_setattr (5.12)": (system) => system.mount_setattr(NONE, "x", 0, { attrSet: 0 }),
};

/** Tells which of the newer system calls the kernel, or a filter around us, does not have. */
export function checkKernel({ system, host }: CommandContext): Check {
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
