import { spawnSync } from "node:child_process";

/** What a finished command left. `status` is 128 + n for a command that signal n ended. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is run. The environment is the caller's unless `env` replaces it whole. */
export interface CommandOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Milliseconds until the command is killed. Default 60,000. */
  readonly timeout?: number;
}

/**
 * Runs one command to its end. Does not use a shell and does not judge the status.
 *
 * @throws Error when the command cannot be started or runs out of time.
 */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): CommandResult {
  const [file = "", ...args] = argv;
  const result = spawnSync(file, args, {
    encoding: "utf8",
    input: options.input ?? "",
    maxBuffer: 64 << 20,
    timeout: options.timeout ?? 60_000,
    killSignal: "SIGKILL",
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  if (result.error !== undefined) throw result.error;
  const signal = result.signal === null ? 0 : SIGNALS[result.signal];
  return { status: result.status ?? 128 + (signal ?? 0), stdout: result.stdout, stderr: result.stderr };
}

const SIGNALS: Partial<Record<NodeJS.Signals, number>> = { SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/**
 * Runs a command that must work and returns its standard output.
 *
 * @throws Error with the command's own words when its status is not 0.
 */
export function mustRun(argv: readonly string[], options: CommandOptions = {}): string {
  const { status, stdout, stderr } = runCommand(argv, options);
  if (status !== 0) throw new Error(`Cannot run "${argv.join(" ")}": status ${status}: ${stderr || stdout}`);
  return stdout;
}
