import { NvociError } from "../model/errors.ts";
import { errnoName, errnoText } from "./errno.ts";
import { Fd } from "./fd.ts";

/** What a failed call's argument looks like in a message. */
export type ShownArgument = Fd | string | number | { readonly flags: string };

function show(argument: ShownArgument): string {
  if (argument instanceof Fd) return argument.toString();
  if (typeof argument === "string") return JSON.stringify(argument);
  return typeof argument === "number" ? `${argument}` : argument.flags;
}

/** A system call that failed: which call, with what, and why. */
export class SystemError extends NvociError {
  readonly errno: number;
  /** The call as strace(1) prints it. */
  readonly call: string;
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
    const path = args.find((argument) => typeof argument === "string" && argument !== "");
    super("system-call", `Cannot ${name}${path === undefined ? "" : ` ${show(path)}`}: ${errnoName(errno)}`, [
      call,
    ]);
    this.name = "SystemError";
    this.errno = errno;
    this.call = call;
  }
}
