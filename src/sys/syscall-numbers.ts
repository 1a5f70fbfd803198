import type { Arch } from "../model/machine.ts";

/**
 * System-call numbers on x86_64 and on arm64. Calls from 424 on (open_tree, openat2, …) have the same number on every
 * architecture.
 *
 * @see arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h in the Linux source
 */
const NUMBERS = {
  bpf: [321, 280],
  capset: [126, 91],
  chdir: [80, 49],
  chroot: [161, 51],
  clock_gettime: [228, 113],
  close: [3, 57],
  close_range: [436, 436],
  connect: [42, 203],
  dup3: [292, 24],
  execve: [59, 221],
  execveat: [322, 281],
  exit_group: [231, 94],
  fchdir: [81, 50],
  fchmod: [91, 52],
  fchmodat: [268, 53],
  fchown: [93, 55],
  fchownat: [260, 54],
  fcntl: [72, 25],
  flock: [73, 32],
  fstatfs: [138, 44],
  fsync: [74, 82],
  getdents64: [217, 61],
  geteuid: [107, 175],
  getpid: [39, 172],
  kill: [62, 129],
  memfd_create: [319, 279],
  mkdirat: [258, 34],
  mknodat: [259, 33],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  newfstatat: [262, 79],
  open_tree: [428, 428],
  openat: [257, 56],
  openat2: [437, 437],
  pidfd_open: [434, 434],
  pipe2: [293, 59],
  pivot_root: [155, 41],
  ppoll: [271, 73],
  prctl: [157, 167],
  pread64: [17, 67],
  prlimit64: [302, 261],
  read: [0, 63],
  readlinkat: [267, 78],
  recvmsg: [47, 212],
  renameat2: [316, 276],
  rt_sigaction: [13, 134],
  sendfile: [40, 71],
  sendmsg: [46, 211],
  setfsgid: [123, 152],
  setfsuid: [122, 151],
  setgroups: [116, 159],
  sethostname: [170, 161],
  setitimer: [38, 103],
  setns: [308, 268],
  setresgid: [119, 149],
  setresuid: [117, 147],
  socket: [41, 198],
  socketpair: [53, 199],
  statx: [332, 291],
  symlinkat: [266, 36],
  umask: [95, 166],
  umount2: [166, 39],
  unlinkat: [263, 35],
  unshare: [272, 97],
  wait4: [61, 260],
  write: [1, 64],
} as const;

/** The system calls that nvoci makes. */
export type SyscallName = keyof typeof NUMBERS;

/** Numbers by name for one machine. */
export type SyscallNumbers = Readonly<Record<SyscallName, number>>;

const numbersAt = (index: 0 | 1): SyscallNumbers => {
  const numbers: Partial<Record<SyscallName, number>> = {};
  for (const name in NUMBERS) numbers[name as SyscallName] = NUMBERS[name as SyscallName][index];
  return numbers as SyscallNumbers;
};

/** Made when the part is loaded, which is before any start of the native program. */
const BY_MACHINE: Readonly<Record<Arch, SyscallNumbers>> = { x64: numbersAt(0), arm64: numbersAt(1) };

/** Returns the numbers of one machine. */
export const syscallNumbers = (arch: Arch): SyscallNumbers => BY_MACHINE[arch];
