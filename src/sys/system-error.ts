import { NvociError } from "../model/errors.ts";
import { EINTR, EIO, EMFILE, ENFILE, ENOMEM, errnoName, errnoText } from "./errno.ts";
import { Fd } from "./fd.ts";

/** What a failed call's argument looks like in a message. */
export type ShownArgument = Fd | string | number | { readonly flags: string };

function show(argument: ShownArgument): string {
  if (argument instanceof Fd) return argument.toString();
  if (typeof argument === "string") return JSON.stringify(argument);
  return typeof argument === "number" ? `${argument}` : argument.flags;
}

/** What the calls that need no context do, in words. The others go by their own name. */
const VERBS: Readonly<Record<string, string>> = {
  openat: "open",
  openat2: "open",
  statx: "look at",
  newfstatat: "look at",
  readlinkat: "read the link",
  getdents64: "list",
  pread64: "read",
  execve: "run",
};

/** Errors that say nothing about the file that was asked for. */
const MACHINE_FAILURES: readonly number[] = [ENOMEM, EMFILE, ENFILE, EIO, EINTR];

/** A system call that failed: which call, with what, and why. */
export class SystemError extends NvociError {
  readonly errno: number;
  /** The call as strace(1) prints it. */
  readonly call: string;
  override get isMachineFailure(): boolean {
    return MACHINE_FAILURES.includes(this.errno);
  }
  /** The symbolic name of the errno. */
  get reason(): string {
    return errnoName(this.errno);
  }

  /**
   * @param name the call's man-page name.
   * @param result the negative errno that the kernel answered.
   */
  constructor(name: string, args: readonly ShownArgument[], result: number) {
    const errno = -result;
    const text = errnoText(errno);
    const call = `${name}(${args.map(show).join(", ")}) = -1 ${errnoName(errno)}${text && ` (${text})`}`;
    const path =
      args.find((argument) => typeof argument === "string" && argument !== "") ??
      args.find((argument) => argument instanceof Fd)?.origin;
    const subject = path === undefined ? "" : ` ${show(path)}`;
    super("system-call", `Cannot ${VERBS[name] ?? name}${subject}: ${errnoName(errno)}`, [call]);
    this.name = "SystemError";
    this.errno = errno;
    this.call = call;
  }
}
