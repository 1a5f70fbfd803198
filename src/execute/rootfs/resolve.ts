import { AT_EMPTY_PATH, O_PATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from "../../sys/constants.ts";
import { EAGAIN, ELOOP, ENAMETOOLONG, ENOENT, ENOSYS, ENOTDIR, EXDEV } from "../../sys/errno.ts";
import { CWD, Fd, type Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import type { MountIds } from "../mount/container-mounts.ts";
import { mountId } from "../mount/mount-table.ts";

/** Opens paths below the root of an untrusted image. Paths are as seen from that root. */
export interface Resolver {
  /**
   * Opens a path without leaving the root: links are followed as if the root were `/`.
   *
   * @param flags open(2) flags. With O_NOFOLLOW a link as last component is opened itself (O_PATH) or refused.
   * @throws {SystemError} ENOENT, ENOTDIR, ELOOP as open(2) would; EXDEV when the path is on a silent mount.
   */
  open(path: string, flags: number): Fd;
}

/** The number of links that the kernel follows (MAXSYMLINKS). */
const MAX_LINKS = 40;

/** Enough retries unless another process does nothing but rename. */
const MAX_ATTEMPTS = 1000;

/**
 * Returns the kernel's own resolver (Linux 5.6). `..` and absolute links stop at the root. Magic links of /proc
 * are refused.
 *
 * The kernel fails with EAGAIN when anything was renamed or mounted anywhere while it followed a `..`, because the
 * `..` may have left the root. `open` then retries.
 *
 * @see openat2(2)
 */
export const byOpenat2 = (system: Syscalls, root: Fd): Resolver => ({
  open(path, flags) {
    for (let attempt = 1; ; attempt++) {
      try {
        return system.openat2(root, path, { flags, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS });
      } catch (error) {
        if (!(error instanceof SystemError) || error.errno !== EAGAIN || attempt === MAX_ATTEMPTS)
          throw error;
      }
    }
  },
});

/** Maximum depth of a walk. A descriptor is open for each directory on the way. */
const MAX_DEPTH = 512;

/** Components that all walks together may take. One costs four calls; a path of forty 4 KB links has 80,000. */
const MAX_STEPS = 200_000;

/** State that all walks below one root share. */
export interface Steps {
  left: number;
  /** Mounts that must not be accessed. */
  readonly silent: MountIds | undefined;
}

export const newSteps = (silent: MountIds | undefined): Steps => ({ left: MAX_STEPS, silent });

/** Makes a directory that a walk finds missing, or throws. */
type MakeMissing = (directory: Fd, name: string) => void;

/**
 * Opens a path in user space, one component at a time on O_PATH descriptors. It replaces openat2(2) before Linux
 * 5.6 and below roots with silent mounts. `..` goes back along the descriptors that led here, never through the
 * file system, so a directory that moves meanwhile cannot lead out of the root. The text of a magic link is
 * treated as a path below the root, so it is harmless.
 *
 * Time grows with the number of components, including those of links, and is bounded by `steps.left`.
 *
 * A silent mount is recognized by its mount id, without a request to its file system.
 *
 * @param make makes missing directories. Without it, a missing component fails the walk.
 */
export function walk(
  system: Syscalls,
  root: Fd,
  path: string,
  flags: number,
  steps: Steps,
  make?: MakeMissing,
): Fd {
  const fail = (errno: number): SystemError =>
    new SystemError("openat", [root, path, { text: "below the root" }], -errno);
  if (path === "") throw fail(ENOENT);
  const followsLast = (flags & system.O_NOFOLLOW) === 0;
  /** Directories from the root (excluded) to the current one. */
  const way: Fd[] = [];
  const goBackTo = (length: number): void => {
    while (way.length > length) system.close(way.pop()!);
  };
  /** Remaining components, the next one last. */
  const rest = componentsBackwards(path);
  let links = 0;
  try {
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
      if (--steps.left < 0) throw fail(ELOOP);
      if (name === ".") continue;
      if (name === "..") {
        goBackTo(Math.max(way.length - 1, 0));
        continue;
      }
      if (way.length === MAX_DEPTH) throw fail(ENAMETOOLONG);
      const next = step(system, way.at(-1) ?? root, name, make);
      way.push(next);
      if (steps.silent?.size && steps.silent.has(mountId(system, next))) throw fail(EXDEV);
      const type = system.statx(next, "", AT_EMPTY_PATH)?.type;
      if (type === "symlink" && (followsLast || rest.length > 0)) {
        if (++links > MAX_LINKS) throw fail(ELOOP);
        const text = system.readlinkat(next, "") ?? "";
        if (text === "") throw fail(ENOENT);
        goBackTo(text.startsWith("/") ? 0 : way.length - 1);
        rest.push(...componentsBackwards(text));
      } else if (type !== "directory" && rest.length > 0) {
        throw fail(ENOTDIR);
      }
    }
    return reopen(system, way.at(-1) ?? root, path, flags);
  } finally {
    goBackTo(0);
  }
}

function step(system: Syscalls, directory: Fd, name: string, make: MakeMissing | undefined): Fd {
  const flags = O_PATH | system.O_NOFOLLOW;
  if (make !== undefined) {
    const fd = system.openatIfThere(directory, name, flags);
    if (fd !== undefined) return fd;
    make(directory, name);
  }
  return system.openat(directory, name, flags);
}

export function byWalk(system: Syscalls, root: Fd, silent?: MountIds): Resolver {
  const steps = newSteps(silent);
  return { open: (path, flags) => walk(system, root, path, flags, steps) };
}

/** Splits a path and reverses it. A trailing slash requires a directory, as a dot does: `a/b/` is `a/b/.`. */
function componentsBackwards(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  if (path.endsWith("/")) parts.push(".");
  return parts.reverse();
}

/** Reopens the object of a descriptor with the caller's flags. */
function reopen(system: Syscalls, fd: Fd, path: string, flags: number): Fd {
  const type = system.statx(fd, "", AT_EMPTY_PATH)?.type;
  if (flags & system.O_DIRECTORY && type !== "directory") {
    throw new SystemError("openat", [fd, ".", { text: "O_DIRECTORY" }], -ENOTDIR);
  }
  if (type === "symlink" && !(flags & O_PATH)) {
    throw new SystemError("openat", [fd, ".", { text: "O_NOFOLLOW" }], -ELOOP);
  }
  // A directory is reopened through `.`, a file through /proc: no name is involved that could be swapped.
  const reopened =
    type === "directory"
      ? system.openat(fd, ".", flags & ~system.O_NOFOLLOW)
      : type === "symlink"
        ? system.dup(fd)
        : system.openat(CWD, `/proc/self/fd/${fd.number}`, flags & ~system.O_NOFOLLOW);
  return new Fd(reopened.number, path);
}

/**
 * Returns the kernel's resolver, or the walk when the kernel has none (ENOSYS) or when silent mounts must be
 * avoided. Any other error of the kernel is final.
 */
export function resolver(system: Syscalls, root: Fd, silent?: MountIds): Resolver {
  if (silent !== undefined && silent.size > 0) return byWalk(system, root, silent);
  const kernel = byOpenat2(system, root);
  try {
    system.close(kernel.open(".", O_PATH));
    return kernel;
  } catch (error) {
    if (error instanceof SystemError && error.errno === ENOSYS) return byWalk(system, root);
    throw error;
  }
}
