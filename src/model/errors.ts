/**
 * The only class of error that nvoci throws on purpose. Line 1 must be understandable alone, because runc joins
 * all of a hook's stderr into one line. The lines after it have the details: the source of the failed step, a
 * hint, and last the system call.
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

/** Exit statuses, which never change. 70, from sysexits(3), means a bug in nvoci. */
export const EXIT = { done: 0, failed: 1, usage: 2, bug: 70 } as const;

/** The lines after line 1 of an error. */
interface ErrorDetails {
  /**
   * The source of the failed step: a manifest line, key or variable, such as `l4t.csv:41 (operation 12 of 287)`.
   */
  readonly askedBy?: string | undefined;
  /** What the reader can do about it: an imperative in lower case, without a final period. */
  readonly hint?: string | undefined;
  /** More about the reason: the output of another program, a list of what exists, a usage text. */
  readonly output?: readonly string[] | undefined;
  /** The failed system call as strace(1) prints it. */
  readonly call?: string | undefined;
}

/** An error that nvoci throws on purpose. */
export class NvociError extends Error {
  /** The stable name of the class of failure. */
  readonly code: ErrorCode;
  private readonly details: ErrorDetails;

  /** @param message `Cannot <verb> "<value>": <reason>`, without a final period or a line break. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.name = "NvociError";
    this.code = code;
    this.details = details;
  }

  /**
   * Whether the machine itself failed: no memory, no descriptors, a broken disk. Such an error must not be read as
   * a missing or unusable file, because the container would start without a part of the driver.
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

  /** The exit status for this error. */
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

  /** Returns the whole text for stderr, without a final line break. */
  render(): string {
    return [`nvoci: ${this.message}`, ...this.lines.map((line) => `  ${line}`)].join("\n");
  }

  /** Returns the whole text as one line, for a log. */
  renderLine(): string {
    return [this.message, ...this.lines].join("; ");
  }
}

/**
 * Returns an error that is not fatal, for a finding. Code that skips unreadable files of the host calls it.
 *
 * @throws the error itself, when it is a bug or a failure of the machine.
 */
export function ignorable(error: unknown): NvociError {
  if (error instanceof NvociError && !error.isMachineFailure) return error;
  throw error;
}

/** Returns the result of `read`, or its error if that is not fatal. @throws as {@link ignorable} */
export function attempt<T>(read: () => T): T | NvociError {
  try {
    return read();
  } catch (error) {
    return ignorable(error);
  }
}
