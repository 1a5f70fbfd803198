import { spawnSync } from "node:child_process";

/** A failure that is the environment's, told in one line. */
export class BuildError extends Error {}

/**
 * Runs a program and gives what it printed on stdout.
 *
 * @throws BuildError with the command and its own words when it fails or is not there
 */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 28, ...options });
  if (result.error)
    throw new BuildError(`Cannot run "${command}": ${result.error.code ?? result.error.message}`);
  if (result.status !== 0) {
    const said = `${result.stderr}`.trim() || `exit status ${result.status ?? result.signal}`;
    throw new BuildError(`Cannot run "${command} ${args.join(" ")}": ${said}`);
  }
  return result.stdout;
}

/** True when the command can be started. */
export function isRunnable(command) {
  return !spawnSync(command, ["--version"], { stdio: "ignore" }).error;
}
