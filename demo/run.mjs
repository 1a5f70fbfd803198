import { spawnSync } from "node:child_process";

/** Runs a command that must work, and gives its standard output. */
export function run(argv, options = {}) {
  const result = attempt(argv, options);
  if (result.status === 0) return result.stdout;
  throw new Error(`Cannot run "${argv.join(" ")}": ${result.stderr.trim() || `status ${result.status}`}`);
}

/** Runs a command to its end; its status is for the caller to judge. */
export function attempt([file, ...args], options = {}) {
  const result = spawnSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options });
  if (result.error) throw result.error;
  return result;
}
