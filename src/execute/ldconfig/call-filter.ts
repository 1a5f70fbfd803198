import type { Arch } from "../../model/machine.ts";
import { EPERM } from "../../sys/errno.ts";

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
 * is refused: other processes, networks, namespaces, memory files, links, ownership changes.
 */
export const ALLOWED_CALLS: Readonly<Record<string, { readonly x64: number; readonly arm64?: number }>> = {
  access: { x64: 21 },
  arch_prctl: { x64: 158 },
  brk: { x64: 12, arm64: 214 },
  capget: { x64: 125, arm64: 90 },
  chmod: { x64: 90 },
  clock_gettime: { x64: 228, arm64: 113 },
  close: { x64: 3, arm64: 57 },
  execve: { x64: 59, arm64: 221 },
  execveat: { x64: 322, arm64: 281 },
  exit: { x64: 60, arm64: 93 },
  exit_group: { x64: 231, arm64: 94 },
  faccessat: { x64: 269, arm64: 48 },
  fadvise64: { x64: 221, arm64: 223 },
  fchmod: { x64: 91, arm64: 52 },
  fchmodat: { x64: 268, arm64: 53 },
  fcntl: { x64: 72, arm64: 25 },
  fstat: { x64: 5, arm64: 80 },
  fsync: { x64: 74, arm64: 82 },
  futex: { x64: 202, arm64: 98 },
  getcwd: { x64: 79, arm64: 17 },
  getdents64: { x64: 217, arm64: 61 },
  getegid: { x64: 108, arm64: 177 },
  geteuid: { x64: 107, arm64: 175 },
  getgid: { x64: 104, arm64: 176 },
  getgroups: { x64: 115, arm64: 158 },
  getpid: { x64: 39, arm64: 172 },
  getppid: { x64: 110, arm64: 173 },
  getrandom: { x64: 318, arm64: 278 },
  getresgid: { x64: 120, arm64: 150 },
  getresuid: { x64: 118, arm64: 148 },
  gettid: { x64: 186, arm64: 178 },
  getuid: { x64: 102, arm64: 174 },
  ioctl: { x64: 16, arm64: 29 },
  lseek: { x64: 8, arm64: 62 },
  lstat: { x64: 6 },
  madvise: { x64: 28, arm64: 233 },
  mmap: { x64: 9, arm64: 222 },
  mprotect: { x64: 10, arm64: 226 },
  mremap: { x64: 25, arm64: 216 },
  munmap: { x64: 11, arm64: 215 },
  newfstatat: { x64: 262, arm64: 79 },
  open: { x64: 2 },
  openat: { x64: 257, arm64: 56 },
  prctl: { x64: 157, arm64: 167 },
  pread64: { x64: 17, arm64: 67 },
  prlimit64: { x64: 302, arm64: 261 },
  read: { x64: 0, arm64: 63 },
  readlink: { x64: 89 },
  readlinkat: { x64: 267, arm64: 78 },
  readv: { x64: 19, arm64: 65 },
  rename: { x64: 82 },
  renameat: { x64: 264, arm64: 38 },
  renameat2: { x64: 316, arm64: 276 },
  restart_syscall: { x64: 219, arm64: 128 },
  rseq: { x64: 334, arm64: 293 },
  rt_sigaction: { x64: 13, arm64: 134 },
  rt_sigprocmask: { x64: 14, arm64: 135 },
  rt_sigreturn: { x64: 15, arm64: 139 },
  set_robust_list: { x64: 273, arm64: 99 },
  set_tid_address: { x64: 218, arm64: 96 },
  stat: { x64: 4 },
  statx: { x64: 332, arm64: 291 },
  sysinfo: { x64: 99, arm64: 179 },
  tgkill: { x64: 234, arm64: 131 },
  umask: { x64: 95, arm64: 166 },
  uname: { x64: 63, arm64: 160 },
  unlink: { x64: 87 },
  unlinkat: { x64: 263, arm64: 35 },
  write: { x64: 1, arm64: 64 },
  writev: { x64: 20, arm64: 66 },
};

/**
 * Returns a seccomp(2) filter that fails every call except `ALLOWED_CALLS` with EPERM: defense in depth against a
 * program that an image has taken over. It also refuses shared anonymous memory, which RLIMIT_DATA does not count.
 *
 * @returns classic BPF instructions, eight bytes each.
 * @see seccomp(2)
 */
export function callFilter(arch: Arch): Uint8Array {
  const allowed = Object.values(ALLOWED_CALLS).flatMap((number) => number[arch] ?? []);
  const length = allowed.length + 10;
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
  for (const number of allowed)
    add(JUMP_EQUAL, number, number === ALLOWED_CALLS.mmap?.[arch] ? mapping : allow);
  add(RETURN, FAIL_WITH | EPERM);
  add(LOAD_WORD, FOURTH_ARGUMENT);
  add(AND, SHARED_MEMORY);
  add(JUMP_EQUAL, SHARED_MEMORY, refuse, allow);
  add(RETURN, ALLOW);
  add(RETURN, FAIL_WITH | EPERM);
  return bytes;
}
