import { spawn } from "node:child_process";
import { type CommandOptions, type CommandResult, runCommand } from "./run-command.ts";

/** A mount namespace of its own that lives until it is closed. Mounts made in it never reach the host. */
export interface PrivateNamespace {
  /** The process that keeps the namespace. */
  readonly pid: number;
  /** Runs a command in the namespace. Its working directory is `/`. */
  run(argv: readonly string[], options?: CommandOptions): CommandResult;
  /**
   * Ends the keeper; the kernel unmounts everything when the last process in it is gone.
   *
   * @returns when the keeper has ended.
   */
  close(): Promise<void>;
}

/** Shell lines that leave nothing but a pure cgroup v2 hierarchy at `/sys/fs/cgroup`. */
export const CGROUP_V2_ONLY: readonly string[] = [
  "umount -R /sys/fs/cgroup",
  "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
];

/**
 * Opens a mount namespace without propagation and prepares it.
 *
 * @param setup shell lines run inside, each of which must work.
 * @param from the namespace whose mounts it starts with. Default: the host's.
 * @throws Error with the shell's own words when a line fails.
 * @see unshare(1)
 */
export async function openNamespace(
  setup: readonly string[] = [],
  from?: PrivateNamespace,
): Promise<PrivateNamespace> {
  // `cat` ends with our end of the pipe, so a test run that is killed leaves no keeper behind.
  const script = ["set -e", ...setup, "echo ready", "exec cat >/dev/null"].join("\n");
  const enter = from === undefined ? [] : ["/usr/bin/nsenter", `--mount=/proc/${from.pid}/ns/mnt`, "--"];
  const unshare = ["/usr/bin/unshare", "--mount", "--propagation", "private", "--", "sh", "-c", script];
  const [file = "", ...args] = [...enter, ...unshare];
  const keeper = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  keeper.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    keeper.stdout.once("data", () => resolve());
    keeper.once("error", reject);
    keeper.once("close", () => reject(new Error(`Cannot prepare "a mount namespace": ${errors.trim()}`)));
  });
  const pid = keeper.pid ?? 0;
  const closed = new Promise<void>((resolve) => keeper.once("close", () => resolve()));
  return {
    pid,
    run: (argv, options) => runCommand(["nsenter", `--mount=/proc/${pid}/ns/mnt`, "--", ...argv], options),
    close: () => {
      keeper.stdin.destroy();
      keeper.kill("SIGKILL");
      return closed;
    },
  };
}
