/**
 * The one class of error that nvoci throws on purpose. Line 1 stands alone, because runc pastes the whole of a
 * hook's stderr into one line. What follows it is for the person who looks closer: who asked for the step that
 * failed, what to do, and last the system call.
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

/** What follows line 1 of an error. */
interface ErrorDetails {
  /** The manifest line, key or variable that asked for what failed, such as `l4t.csv:41 (operation 12 of 287)`. */
  readonly askedBy?: string | undefined;
  /** What the reader can do about it: an imperative, lower case, no final period. */
  readonly hint?: string | undefined;
  /** More about the reason: the other program's own output, a list of what exists, a usage text. */
  readonly output?: readonly string[] | undefined;
  /** The failed system call as strace(1) prints it. */
  readonly call?: string | undefined;
}

export class NvociError extends Error {
  /** Stable class of the failure. */
  readonly code: ErrorCode;
  private readonly details: ErrorDetails;

  /** @param message `Cannot <verb> "<value>": <reason>`, no final period, no line break. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
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

  get askedBy(): string | undefined {
    return this.details.askedBy;
  }

  get hint(): string | undefined {
    return this.details.hint;
  }

  get output(): readonly string[] {
    return this.details.output ?? [];
  }

  get call(): string | undefined {
    return this.details.call;
  }

  /** The exit status of this failure. */
  get exitCode(): number {
    return this.code === "usage" ? EXIT.usage : EXIT.failed;
  }

  /** The lines after the first, without indentation. */
  get lines(): readonly string[] {
    const { output, askedBy, hint, call } = this;
    return [
      ...output,
      ...(askedBy === undefined ? [] : [`asked for by ${askedBy}`]),
      ...(hint === undefined ? [] : [`hint: ${hint}`]),
      ...(call === undefined ? [] : [call]),
    ];
  }

  /** The whole text as it goes to stderr, without a final line break. */
  render(): string {
    return [`nvoci: ${this.message}`, ...this.lines.map((line) => `  ${line}`)].join("\n");
  }

  /** The whole text as one line, for a log. */
  renderLine(): string {
    return [this.message, ...this.lines].join("; ");
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
