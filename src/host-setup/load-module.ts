import { type HostPath, hostPath } from "../model/paths.ts";
import { type HostView, readText } from "../model/views.ts";
import { AT_FDCWD, CLOSE_RANGE_CLOEXEC, O_RDWR } from "../sys/constants.ts";
import { runChild } from "../sys/run-child.ts";
import { ANY_ERROR, StepList } from "../sys/step-list.ts";
import type { ExitStatus, Fd, Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { quote } from "../text/quote.ts";

/** In seconds. The driver takes one second to initialize each GPU, and servers have up to sixteen. */
const TIMEOUT_S = 60;

/** The PATH that the kernel gives to modprobe, because rules of modprobe.d(5) may run programs. */
const ENVIRONMENT = ["PATH=/sbin:/usr/sbin:/bin:/usr/bin"];

/** A program that loads modules, and its root. */
interface Modprobe {
  /** Path inside the root. */
  readonly path: string;
  /** The root that has the modules: `/`, or the root of a container that ships the driver. */
  readonly root: HostPath;
}

/**
 * Loads a kernel module and its dependencies.
 *
 * @returns the reason for a failure, from modprobe's output; `undefined` when the module is loaded.
 * @see modprobe(8)
 */
export function loadModule(system: Syscalls, modprobe: Modprobe, name: string): string | undefined {
  try {
    return run(system, modprobe, name);
  } catch (error) {
    if (error instanceof SystemError) return error.call;
    throw error;
  }
}

function run(system: Syscalls, modprobe: Modprobe, name: string): string | undefined {
  const { failure, words, status } = runChild(system, TIMEOUT_S, (output, report) => {
    const steps = childSteps(system, modprobe, name, output);
    const pid = system.spawn(0, steps.encode(), report);
    return { pid, steps };
  });
  if (failure !== undefined) return new SystemError(failure.call, [modprobe.path], -failure.errno).call;
  if (words === undefined) return `${modprobe.path} did not finish within ${TIMEOUT_S} s`;
  if ("exited" in status && status.exited === 0) return undefined;
  return lastLine(words) ?? ended(modprobe.path, status);
}

function childSteps(system: Syscalls, { path, root }: Modprobe, name: string, output: Fd): StepList {
  const steps = new StepList(system);
  // Standard input is the container's state, which is not for modprobe. The open after close(0) gets descriptor 0.
  steps
    .call("close", [0], ANY_ERROR)
    .call("openat", [AT_FDCWD, "/dev/null", O_RDWR, 0], ANY_ERROR)
    .call("dup3", [output.number, 1, 0])
    .call("dup3", [output.number, 2, 0])
    .call("umask", [0o022]);
  if (root !== "/") steps.call("chroot", [root]);
  return (
    steps
      .call("chdir", ["/"])
      // Fails before 5.11. All our descriptors are close-on-exec, and a runtime gives its hooks only 0 to 2.
      .call("close_range", [3, 0xffffffff, CLOSE_RANGE_CLOEXEC], ANY_ERROR)
      .call("execve", [path, steps.stringArray([path, name]), steps.stringArray(ENVIRONMENT)])
  );
}

/** Returns the last line that is not empty, which is the reason for the failure. */
function lastLine(text: string): string | undefined {
  const line = text
    .split("\n")
    .filter((part) => part.trim() !== "")
    .at(-1);
  return line && quote(line, 200);
}

const ended = (path: string, status: ExitStatus): string =>
  "exited" in status
    ? `${path} ended with status ${status.exited}`
    : `${path} was killed by signal ${status.signalled}`;

const DEFAULT_MODPROBE = "/sbin/modprobe";

/** Returns the program by which the kernel itself loads modules. @see proc_sys_kernel(5) */
export function modprobePath(host: HostView): string {
  const path = (readText(host, hostPath("/proc/sys/kernel/modprobe")) ?? "").trim();
  return path.startsWith("/") ? path : DEFAULT_MODPROBE;
}
