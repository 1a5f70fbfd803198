import { join } from "node:path";
import { compileC } from "../../../fixtures/run/compile-c.ts";

/** System calls that a kernel of that version lacks, among those in enosys.c. */
export const MISSING_BEFORE: Readonly<Record<"4.9" | "5.1" | "5.5" | "5.11", readonly string[]>> = (() => {
  const since512 = ["mount_setattr", "statmount", "listmount", "fchmodat2"];
  const since56 = ["openat2", "faccessat2", "close_range", ...since512];
  const since52 = [
    "open_tree",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "clone3",
    "pidfd_open",
  ];
  return {
    "5.11": since512,
    "5.5": since56,
    "5.1": [...since52, ...since56],
    "4.9": ["statx", ...since52, ...since56],
  };
})();

/**
 * Returns a command line that fails named system calls with ENOSYS in the command and all its children. Requires
 * gcc.
 *
 * @param calls names as in enosys.c; an unknown one ends the command with status 2.
 * @param errno used instead of ENOSYS.
 */
export function withoutCalls(calls: readonly string[], command: readonly string[], errno?: number): string[] {
  const program = compileC(join(import.meta.dirname, "enosys.c"));
  return [program, ...(errno === undefined ? [] : ["-e", `${errno}`]), calls.join(","), ...command];
}
