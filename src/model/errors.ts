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

  /**
   * Whether the machine itself failed: no memory, no descriptors, a broken disk. Nothing may be taken for absent or
   * unusable then, because a container would start with a part of the driver missing.
   */
  get isMachineFailure(): boolean {
    return false;
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

/**
 * The error for a finding about a thing that can be left out. Whoever reads the host and goes on without what cannot
 * be read asks here.
 *
 * @throws the error itself, where it is a bug or a failure of the machine.
 */
export function ignorable(error: unknown): NvociError {
  if (error instanceof NvociError && !error.isMachineFailure) return error;
  throw error;
}

/** What `read` answers, or the error that can be ignored. @throws as {@link ignorable} */
export function attempt<T>(read: () => T): T | NvociError {
  try {
    return read();
  } catch (error) {
    return ignorable(error);
  }
}
