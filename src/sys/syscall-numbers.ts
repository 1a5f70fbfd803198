/**
 * System-call numbers of the two supported machines. Calls from 424 on (open_tree, openat2, …) share one number
 * on every architecture.
 *
 * @see arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h in the Linux source
 */

/** Name, number on x86_64, number on arm64. */
const TABLE = {
  read: [0, 63],
  write: [1, 64],
  close: [3, 57],
  rt_sigaction: [13, 134],
  pread64: [17, 67],
  dup3: [292, 24],
  getpid: [39, 172],
  sendfile: [40, 71],
  wait4: [61, 260],
  kill: [62, 129],
  fcntl: [72, 25],
  fchdir: [81, 50],
  chdir: [80, 49],
  umask: [95, 166],
  fchmod: [91, 52],
  fchown: [93, 55],
  geteuid: [107, 175],
  setgroups: [116, 159],
  setresuid: [117, 147],
  setresgid: [119, 149],
  setfsuid: [122, 151],
  setfsgid: [123, 152],
  capset: [126, 91],
  fstatfs: [138, 44],
  pivot_root: [155, 41],
  prctl: [157, 167],
  chroot: [161, 51],
  mount: [165, 40],
  umount2: [166, 39],
  sethostname: [170, 161],
  getdents64: [217, 61],
  clock_gettime: [228, 113],
  exit_group: [231, 94],
  openat: [257, 56],
  mkdirat: [258, 34],
  mknodat: [259, 33],
  fchownat: [260, 54],
  newfstatat: [262, 79],
  unlinkat: [263, 35],
  renameat2: [316, 276],
  symlinkat: [266, 36],
  readlinkat: [267, 78],
  fchmodat: [268, 53],
  ppoll: [271, 73],
  unshare: [272, 97],
  pipe2: [293, 59],
  prlimit64: [302, 261],
  setns: [308, 268],
  memfd_create: [319, 279],
  bpf: [321, 280],
  execve: [59, 221],
  execveat: [322, 281],
  statx: [332, 291],
  open_tree: [428, 428],
  move_mount: [429, 429],
  close_range: [436, 436],
  openat2: [437, 437],
  mount_setattr: [442, 442],
} as const;

/** The system calls that nvoci makes. */
export type SyscallName = keyof typeof TABLE;

/** Numbers by name for one machine. */
export type SyscallNumbers = Readonly<Record<SyscallName, number>>;

/** The table for a machine; -1 where it lacks the call. */
export function syscallNumbers(arch: "x64" | "arm64"): SyscallNumbers {
  const column = arch === "x64" ? 0 : 1;
  const numbers: Partial<Record<SyscallName, number>> = {};
  for (const name of Object.keys(TABLE) as SyscallName[]) numbers[name] = TABLE[name][column];
  return numbers as SyscallNumbers;
}
