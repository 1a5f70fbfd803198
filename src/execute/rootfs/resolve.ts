import { AT_EMPTY_PATH, O_PATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from "../../sys/constants.ts";
import { EAGAIN, ELOOP, ENAMETOOLONG, ENOENT, ENOSYS, ENOTDIR, EXDEV } from "../../sys/errno.ts";
import { CWD, Fd, type Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import type { MountIds } from "../mount/container-mounts.ts";
import { mountId } from "../mount/mount-table.ts";

/** Opens paths below a root that an image's author has filled; `path` is as seen from that root. */
export interface Resolver {
  /**
   * Opens without leaving the root: links are followed as if the root were `/`.
   *
   * @param flags open(2) flags. With O_NOFOLLOW a link as last component is opened itself (O_PATH) or refused.
   * @throws SystemError ENOENT, ENOTDIR, ELOOP as open(2) would; EXDEV for what is on a silent mount.
   */
  open(path: string, flags: number): Fd;
}

/** As many links as the kernel follows (MAXSYMLINKS). */
const MAX_LINKS = 40;

/** More often than other processes can get in the way of, unless they do nothing else. */
const MAX_ATTEMPTS = 1000;

/**
 * The kernel's own resolver, since 5.6. `..` and absolute links stop at the root; /proc's magic links are refused.
 *
 * The kernel answers EAGAIN when anything anywhere was renamed or mounted while it followed a `..`, because it cannot
 * tell then whether that led out of the root. It means "once more", as openat2(2) says.
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

/** As deep as a walk goes: a descriptor is open for each directory on the way. */
const MAX_DEPTH = 512;

/** What walks may cost together. One component takes four calls; a path of forty links of 4 KB has 80,000. */
const MAX_STEPS = 200_000;

/** What all walks below one root have in common. */
export interface Steps {
  left: number;
  /** Mounts that nothing is asked of. */
  readonly silent: MountIds | undefined;
}

export const newSteps = (silent: MountIds | undefined): Steps => ({ left: MAX_STEPS, silent });

/** Makes the directory that a walk has found missing, or throws. */
type MakeMissing = (directory: Fd, name: string) => void;

/**
 * The same look-up in user space, for kernels before 5.6: one component at a time on O_PATH descriptors. `..` goes
 * back along the descriptors that led here, never through the file system, so that a directory moved meanwhile
 * cannot lead out. A magic link's text is taken as a path below the root, which is harmless: no jump is made.
 *
 * Its time grows with the number of components, those of links included, and ends with the steps that are left.
 *
 * A name that leads onto a silent mount is known by the mount's number, before the file system there has heard of it.
 *
 * @param make absent: what is missing fails the walk.
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
  /** Directories from the root, left out, to where we are. */
  const way: Fd[] = [];
  const goBackTo = (length: number): void => {
    while (way.length > length) system.close(way.pop()!);
  };
  /** What is still to go, the next component last. */
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

/** A slash at the end asks for a directory, as a dot does: `a/b/` is `a/b/.`. */
function componentsBackwards(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  if (path.endsWith("/")) parts.push(".");
  return parts.reverse();
}

/** Opens once more, with the caller's flags, the very object that a descriptor stands for. */
function reopen(system: Syscalls, fd: Fd, path: string, flags: number): Fd {
  const type = system.statx(fd, "", AT_EMPTY_PATH)?.type;
  if (flags & system.O_DIRECTORY && type !== "directory") {
    throw new SystemError("openat", [fd, ".", { text: "O_DIRECTORY" }], -ENOTDIR);
  }
  if (type === "symlink" && !(flags & O_PATH)) {
    throw new SystemError("openat", [fd, ".", { text: "O_NOFOLLOW" }], -ELOOP);
  }
  // A directory is opened as itself. For the rest /proc leads back to the object, without a name to be swapped.
  const reopened =
    type === "directory"
      ? system.openat(fd, ".", flags & ~system.O_NOFOLLOW)
      : type === "symlink"
        ? system.dup(fd)
        : system.openat(CWD, `/proc/self/fd/${fd.number}`, flags & ~system.O_NOFOLLOW);
  return new Fd(reopened.number, path);
}

/**
 * Picks the resolver: the kernel's, or the walk where the kernel answers that it has none, or where there are mounts to
 * keep out of. Any other answer of the kernel is final.
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
