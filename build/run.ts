import { type SpawnSyncOptions, spawnSync } from "node:child_process";

/** A failure of the environment, with a message of one line. */
export class BuildError extends Error {}

export type RunOptions = Pick<SpawnSyncOptions, "cwd" | "env" | "input">;

/**
 * Runs a program and returns its standard output.
 *
 * @throws BuildError with the command and its standard error when it fails or does not exist.
 */
export const run = (command: string, args: readonly string[], options: RunOptions = {}): string =>
  runBytes(command, args, options).toString("utf8");

/** Like `run`, for a program that does not print text. */
export function runBytes(command: string, args: readonly string[], options: RunOptions = {}): Buffer {
  const result = spawnSync(command, args, { ...options, maxBuffer: 1 << 28 });
  if (result.error)
    throw new BuildError(`Cannot run "${command}": ${errorCode(result.error) ?? result.error.message}`);
  if (result.status !== 0) {
    const said = `${result.stderr}`.trim() || `exit status ${result.status ?? result.signal}`;
    throw new BuildError(`Cannot run "${command} ${args.join(" ")}": ${said}`);
  }
  return result.stdout;
}

/** Reports whether the command can be started. */
export function isRunnable(command: string): boolean {
  return !spawnSync(command, ["--version"], { stdio: "ignore" }).error;
}

/** Returns the code of a Node.js error, such as `ENOENT`. */
export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
