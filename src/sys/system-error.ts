import { NvociError } from "../model/errors.ts";
import type { Arch } from "../model/machine.ts";
import { quote } from "../text/quote.ts";
import { EINTR, EIO, EMFILE, ENFILE, ENOMEM, errnoName, errnoText } from "./errno.ts";
import { type FlagSet, flagNames, modeName } from "./flag-names.ts";
import { hintFor } from "./hints.ts";
import { Fd } from "./syscalls.ts";

/** Flags of one set, formatted only when a call has failed. */
export interface ShownFlags {
  readonly set: FlagSet;
  readonly value: number;
  /** Machine whose flag values apply. Default: `"x64"`. */
  readonly machine?: Arch;
}

/** An argument of a failed call, for messages. */
export type ShownArgument =
  | Fd
  | string
  | number
  | null
  | ShownFlags
  | { readonly mode: number }
  | { readonly text: string };

/** PATH_MAX: paths are never truncated, so that the reader can copy them. */
const MAX_PATH_CODE_POINTS = 4096;

function show(argument: ShownArgument): string {
  if (argument === null) return "NULL";
  if (argument instanceof Fd) return argument.toString();
  if (typeof argument === "string") return quote(argument, MAX_PATH_CODE_POINTS);
  if (typeof argument === "number") return `${argument}`;
  if ("mode" in argument) return modeName(argument.mode);
  if ("text" in argument) return argument.text;
  return flagNames(argument.set, argument.value, argument.machine ?? "x64");
}

/** What a call does, for line 1, and the index of the argument it does that to. Default: the first path. */
const DEEDS: Readonly<Record<string, readonly [verb: string, subject?: number]>> = {
  openat: ["open"],
  openat2: ["open"],
  open_tree: ["open"],
  statx: ["stat"],
  newfstatat: ["stat"],
  fstatfs: ["stat the file system of"],
  readlinkat: ["read the link"],
  getdents64: ["list"],
  read: ["read"],
  pread64: ["read"],
  write: ["write to"],
  sendfile: ["copy", 1],
  mkdirat: ["make the directory"],
  mknodat: ["make"],
  symlinkat: ["make the link", 2],
  unlinkat: ["remove"],
  renameat2: ["rename"],
  fchownat: ["change the owner of"],
  fchmodat: ["change the mode of"],
  fsync: ["write to disk"],
  mount: ["mount on", 1],
  umount2: ["unmount"],
  move_mount: ["mount on", 3],
  mount_setattr: ["set the mount options of"],
  setns: ["enter the namespace"],
  unshare: ["leave a namespace"],
  fchdir: ["change to the directory"],
  fcntl: ["set the properties of"],
  socket: ["make a socket"],
  connect: ["connect to", 0],
  memfd_create: ["make a memory file for"],
  pipe2: ["make a pipe"],
  ppoll: ["wait for"],
  prctl: ["set a property of the process"],
  prlimit64: ["set a resource limit"],
  rt_sigaction: ["set a signal's action"],
  clock_gettime: ["read the clock"],
  clone: ["start a process"],
  wait4: ["wait for a process"],
  kill: ["end a process"],
  execve: ["run"],
};

/** Errors that are not about the file of the call. */
const MACHINE_FAILURES: readonly number[] = [ENOMEM, EMFILE, ENFILE, EIO, EINTR];

/** Returns the path that line 1 is about. An empty path means the descriptor before it. */
function subjectOf(args: readonly ShownArgument[], index: number | undefined): string | undefined {
  const named = index === undefined ? undefined : args[index];
  const chosen =
    named !== undefined && named !== "" ? named : args.find((it) => typeof it === "string" && it !== "");
  if (typeof chosen === "string") return chosen;
  if (chosen instanceof Fd) return chosen.origin;
  return args.find((it): it is Fd => it instanceof Fd)?.origin;
}

/** A failed system call, with its arguments and errno. */
export class SystemError extends NvociError {
  readonly errno: number;
  private readonly nameOfCall: string;
  private readonly args: readonly ShownArgument[];

  /**
   * @param name the call's man-page name.
   * @param result the negative errno that the kernel returned.
   */
  constructor(name: string, args: readonly ShownArgument[], result: number) {
    const [verb, index] = DEEDS[name] ?? [`call ${name}(2)`];
    const subject = subjectOf(args, index);
    const on = subject === undefined ? "" : ` ${quote(subject, MAX_PATH_CODE_POINTS)}`;
    super("system-call", `Cannot ${verb}${on}: ${errnoName(-result)}`);
    this.name = "SystemError";
    this.errno = -result;
    this.nameOfCall = name;
    this.args = args;
  }

  override get isMachineFailure(): boolean {
    return MACHINE_FAILURES.includes(this.errno);
  }

  /** The symbolic name of the errno. */
  get reason(): string {
    return errnoName(this.errno);
  }

  /** The call in the style of strace(1), with the paths of descriptors. */
  override get call(): string {
    const text = errnoText(this.errno);
    const result = `${errnoName(this.errno)}${text && ` (${text})`}`;
    return `${this.nameOfCall}(${this.args.map(show).join(", ")}) = -1 ${result}`;
  }

  override get hint(): string | undefined {
    return hintFor(this.nameOfCall, this.errno);
  }
}
