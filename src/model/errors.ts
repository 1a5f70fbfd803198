/**
 * The one class of error that nvoci throws on purpose. Line 1 stands alone, because runc pastes the whole of a
 * hook's stderr into one line; what follows it helps the person who looks closer.
 */

/** Stable names of error classes, for tests and scripts. */
export type ErrorCode =
  | "usage"
  | "state-invalid"
  | "spec-invalid"
  | "config-invalid"
  | "request-invalid"
  | "device-unknown"
  | "requirement-unmet"
  | "driver-mismatch"
  | "system-call"
  | "operation-failed"
  | "ldconfig-failed"
  | "platform-unsupported"
  | "runtime-missing"
  | "file-invalid"
  | "payload-damaged";

/** Exit statuses, fixed by contract: sysexits(3)'s 70 marks a bug of ours. */
export const EXIT = { done: 0, failed: 1, usage: 2, bug: 70 } as const;

export class NvociError extends Error {
  /** Stable class of the failure. */
  readonly code: ErrorCode;
  /** Lines that follow the first: the failed call as strace prints it, the line that asked, a hint. */
  readonly details: readonly string[];

  /**
   * @param message `Cannot <verb> "<value>": <reason>`, no final period, no line break.
   * @param details further lines, without indentation.
   */
  constructor(code: ErrorCode, message: string, details: readonly string[] = []) {
    super(message);
    this.name = "NvociError";
    this.code = code;
    this.details = details;
  }

  /** The exit status this failure has. */
  get exitCode(): number {
    return this.code === "usage" ? EXIT.usage : EXIT.failed;
  }

  /** The whole text as it goes to stderr, without a final line break. */
  render(): string {
    return [`nvoci: ${this.message}`, ...this.details.map((line) => `  ${line}`)].join("\n");
  }
}

/** What `read` answers, or the refusal that it ends in. Bugs are thrown on. */
export function attempt<T>(read: () => T): T | NvociError {
  try {
    return read();
  } catch (error) {
    if (error instanceof NvociError) return error;
    throw error;
  }
}
