import type { Arch } from "../../model/machine.ts";
import { EPERM } from "../../sys/errno.ts";
import { type SyscallName, syscallNumbers } from "../../sys/syscall-numbers.ts";

/** Size of a classic BPF instruction: u16 code, u8 jump if true, u8 jump if false, u32 constant. */
const INSTRUCTION_BYTES = 8;

const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const AND = 0x54;
const RETURN = 0x06;

/** Offsets in struct seccomp_data. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const FOURTH_ARGUMENT = 40;

const ALLOW = 0x7fff0000;
const FAIL_WITH = 0x00050000;

/** AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64. @see include/uapi/linux/audit.h */
const ARCHITECTURES = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;

/** From here on, numbers belong to x86_64's second ABI (x32), which ldconfig does not use. */
const X32 = 0x40000000;

/** MAP_SHARED | MAP_ANONYMOUS: memory that no limit of a process counts. */
const SHARED_MEMORY = 0x21;

/**
 * All calls that ldconfig needs: it starts, examines files, maps them, writes one and renames it. Everything else
 * is refused: other processes, networks, namespaces, memory files, links, ownership changes. nvoci makes these itself.
 */
const OWN_CALLS: readonly SyscallName[] = [
  "clock_gettime",
  "close",
  "execve",
  "execveat",
  "exit_group",
  "fchmod",
  "fchmodat",
  "fcntl",
  "fsync",
  "getdents64",
  "geteuid",
  "getpid",
  "newfstatat",
  "openat",
  "prctl",
  "pread64",
  "prlimit64",
  "read",
  "readlinkat",
  "renameat2",
  "rt_sigaction",
  "statx",
  "umask",
  "unlinkat",
  "write",
];

/** The others: the number on x86_64 and, where the machine has the call, on arm64. */
const OTHER_CALLS: Readonly<Record<string, readonly [x64: number, arm64?: number]>> = {
  access: [21],
  arch_prctl: [158],
  brk: [12, 214],
  capget: [125, 90],
  chmod: [90],
  exit: [60, 93],
  faccessat: [269, 48],
  fadvise64: [221, 223],
  fstat: [5, 80],
  futex: [202, 98],
  getcwd: [79, 17],
  getegid: [108, 177],
  getgid: [104, 176],
  getgroups: [115, 158],
  getppid: [110, 173],
  getrandom: [318, 278],
  getresgid: [120, 150],
  getresuid: [118, 148],
  gettid: [186, 178],
  getuid: [102, 174],
  ioctl: [16, 29],
  lseek: [8, 62],
  lstat: [6],
  madvise: [28, 233],
  mmap: [9, 222],
  mprotect: [10, 226],
  mremap: [25, 216],
  munmap: [11, 215],
  open: [2],
  readlink: [89],
  readv: [19, 65],
  rename: [82],
  renameat: [264, 38],
  restart_syscall: [219, 128],
  rseq: [334, 293],
  rt_sigprocmask: [14, 135],
  rt_sigreturn: [15, 139],
  set_robust_list: [273, 99],
  set_tid_address: [218, 96],
  stat: [4],
  sysinfo: [99, 179],
  tgkill: [234, 131],
  uname: [63, 160],
  unlink: [87],
  writev: [20, 66],
};

/** The numbers of all allowed calls, by name. */
export function allowedCalls(arch: Arch): ReadonlyMap<string, number> {
  const numbers = syscallNumbers(arch);
  const calls = new Map<string, number>(OWN_CALLS.map((name) => [name, numbers[name]]));
  for (const [name, [x64, arm64]] of Object.entries(OTHER_CALLS)) {
    const number = arch === "x64" ? x64 : arm64;
    if (number !== undefined) calls.set(name, number);
  }
  return calls;
}

/**
 * Makes a seccomp(2) filter that fails every call except `ALLOWED_CALLS` with EPERM: defense in depth against a
 * program that an image has taken over. It also refuses shared anonymous memory, which RLIMIT_DATA does not count.
 *
 * @see seccomp(2)
 */
function makeFilter(arch: Arch): Uint8Array {
  const calls = allowedCalls(arch);
  const length = calls.size + 10;
  const mapping = length - 5;
  const allow = length - 2;
  const refuse = length - 1;
  const bytes = new Uint8Array(length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  let index = 0;
  /** Adds an instruction. Jump targets are absolute indexes; the default is the next instruction. */
  function add(code: number, constant: number, ifTrue = index + 1, ifFalse = index + 1): void {
    const at = index++ * INSTRUCTION_BYTES;
    const isJump = code === JUMP_EQUAL || code === JUMP_AT_LEAST;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, isJump ? ifTrue - index : 0);
    view.setUint8(at + 3, isJump ? ifFalse - index : 0);
    view.setUint32(at + 4, constant, true);
  }
  add(LOAD_WORD, ARCHITECTURE);
  add(JUMP_EQUAL, ARCHITECTURES[arch], undefined, refuse);
  add(LOAD_WORD, NUMBER);
  add(JUMP_AT_LEAST, X32, refuse);
  for (const [name, number] of calls) add(JUMP_EQUAL, number, name === "mmap" ? mapping : allow);
  add(RETURN, FAIL_WITH | EPERM);
  add(LOAD_WORD, FOURTH_ARGUMENT);
  add(AND, SHARED_MEMORY);
  add(JUMP_EQUAL, SHARED_MEMORY, refuse, allow);
  add(RETURN, ALLOW);
  add(RETURN, FAIL_WITH | EPERM);
  return bytes;
}

/** Made when the part is loaded, which is before any start of the native program. */
const FILTERS: Readonly<Record<Arch, Uint8Array>> = { x64: makeFilter("x64"), arm64: makeFilter("arm64") };

/** Returns the filter for ldconfig: classic BPF instructions, eight bytes each. */
export const callFilter = (arch: Arch): Uint8Array => FILTERS[arch];
