import {
  EACCES,
  EBUSY,
  EDQUOT,
  EIO,
  EMFILE,
  ENFILE,
  ENODEV,
  ENOEXEC,
  ENOMEM,
  ENOSPC,
  ENOSYS,
  ENXIO,
  EPERM,
  EROFS,
  ESTALE,
  ETXTBSY,
} from "./errno.ts";

/** Kind of work that a call does. Remedies depend on it. */
type Work = "mount" | "make" | "read" | "run" | "bpf" | "enter";

const WORK: Readonly<Record<string, Work>> = {
  mount: "mount",
  umount2: "mount",
  open_tree: "mount",
  move_mount: "mount",
  mount_setattr: "mount",
  mkdirat: "make",
  mknodat: "make",
  symlinkat: "make",
  unlinkat: "make",
  renameat2: "make",
  fchownat: "make",
  fchmodat: "make",
  write: "make",
  fsync: "make",
  openat: "read",
  openat2: "read",
  read: "read",
  pread64: "read",
  getdents64: "read",
  statx: "read",
  execve: "run",
  execveat: "run",
  clone: "run",
  bpf: "bpf",
  setns: "enter",
  unshare: "enter",
};

const FORBIDDEN =
  "SELinux, AppArmor or a seccomp filter may forbid it; look for a denial in the kernel's log (dmesg, ausearch -m avc)";
const DISK = "the disk or its file system reports errors; look at the kernel's log (dmesg)";

/**
 * Returns the remedies by errno and kind of work; `any` applies to kinds without an entry. A function, because only a
 * failed call needs it.
 */
const remedies = (): Readonly<Record<number, Partial<Record<Work | "any", string>>>> => ({
  [EPERM]: {
    mount:
      "the container's user namespace does not permit this; run the container without userns-remap, or use CDI",
    bpf: "the hook needs CAP_SYS_ADMIN or CAP_BPF; set no-cgroups = true in config.toml if the runtime grants device access itself",
    make: FORBIDDEN,
    enter: "the hook needs root on the host; set no-cgroups = true in config.toml for rootless engines",
    any: FORBIDDEN,
  },
  [EACCES]: {
    any: FORBIDDEN,
  },
  [ENOSPC]: {
    mount: "the kernel's limit on mounts is reached; check that /proc/sys/fs/mount-max is sufficient",
    make: "the container's file system is full, or has no free inodes (df -h, df -i)",
  },
  [EDQUOT]: { make: "the disk quota of the container's storage is used up" },
  [EROFS]: {
    make: "the image's file system is read-only and lacks the mount point; create it in the image",
    mount: "the image's file system is read-only and lacks the mount point; create it in the image",
  },
  [ENOMEM]: {
    bpf: "the limit on locked memory is too low; raise LimitMEMLOCK= in the container engine's unit",
    any: "the host or the container engine's cgroup is out of memory",
  },
  [EMFILE]: { any: "raise the limit on open files (LimitNOFILE= in the container engine's unit)" },
  [ENFILE]: { any: "the host's limit on open files is reached; raise /proc/sys/fs/file-max" },
  [EIO]: { any: DISK },
  [ESTALE]: { any: "the network file system lost the file; remount it" },
  [EBUSY]: {
    make: "something is mounted there; mount it elsewhere, or do not request what nvoci puts there",
  },
  [ENXIO]: { read: "no driver answers for the device node; load the kernel module, or remove the node" },
  [ENODEV]: {
    read: "no driver answers for the device node; load the kernel module, or remove the node",
    mount: "the kernel lacks this file system; build it in, or load its module",
  },
  [ETXTBSY]: { run: "the program is being written; retry when its update is complete" },
  [ENOEXEC]: { run: "the program is for another architecture, or its file is damaged; reinstall it" },
  [ENOSYS]: {
    any: "the kernel is older than 4.9, or a seccomp filter around the container engine refuses the call",
  },
});

/** Returns what the reader can do about a failed call, or `undefined` when no remedy is known. */
export function hintFor(call: string, errno: number): string | undefined {
  const row = remedies()[errno];
  const work = WORK[call];
  return (work && row?.[work]) ?? row?.any;
}
