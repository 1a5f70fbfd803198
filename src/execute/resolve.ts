import { AT_EMPTY_PATH, O_PATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from "../sys/constants.ts";
import { ELOOP, ENOENT, ENOSYS, ENOTDIR } from "../sys/errno.ts";
import { CWD, Fd } from "../sys/fd.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";

/** Opens paths below a root that an image's author has filled; `path` is as seen from that root. */
export interface Resolver {
  /**
   * Opens without leaving the root: links are followed as if the root were `/`.
   *
   * @param flags open(2) flags. With O_NOFOLLOW a link as last component is opened itself (O_PATH) or refused.
   * @throws SystemError ENOENT, ENOTDIR, ELOOP as open(2) would.
   */
  open(path: string, flags: number): Fd;
}

/** As many links as the kernel follows (MAXSYMLINKS). */
const MAX_LINKS = 40;

/** The kernel's own resolver, since 5.6. `..` and absolute links stop at the root; /proc's magic links are refused. */
const byOpenat2 = (system: Syscalls, root: Fd): Resolver => ({
  open: (path, flags) =>
    system.openat2(root, path, { flags, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS }),
});

/**
 * The same look-up in user space, for kernels before 5.6: one component at a time on O_PATH descriptors. `..` goes
 * back along the descriptors that led here, never through the file system, so that a directory moved meanwhile
 * cannot lead out. A magic link's text is taken as a path below the root, which is harmless: no jump is made.
 */
export const byWalk = (system: Syscalls, root: Fd): Resolver => ({
  open(path, flags) {
    const opened: Fd[] = [];
    const noFollow = (flags & system.O_NOFOLLOW) !== 0;
    const fail = (errno: number): never => {
      throw new SystemError("openat", [root, path, { flags: "below the root" }], -errno);
    };
    try {
      let way: Fd[] = [root];
      let rest = components(path);
      let links = 0;
      while (rest.length > 0) {
        const [name, ...after] = rest as [string, ...string[]];
        const here = way[way.length - 1] as Fd;
        rest = after;
        if (name === ".") continue;
        if (name === "..") {
          if (way.length > 1) way.pop();
          continue;
        }
        const next = system.openat(here, name, O_PATH | system.O_NOFOLLOW);
        opened.push(next);
        const isLast = rest.every((component) => component === ".");
        const type = system.statx(next, "", AT_EMPTY_PATH)?.type;
        if (type === "symlink" && !(isLast && noFollow && !endsAsDirectory(path))) {
          if (++links > MAX_LINKS) fail(ELOOP);
          const text = system.readlinkat(next, "");
          if (text === undefined || text === "") return fail(ENOENT);
          if (text.startsWith("/")) way = [root];
          rest = [...components(text), ...rest];
        } else if (!isLast && type !== "directory") {
          fail(ENOTDIR);
        } else {
          way.push(next);
        }
      }
      return reopen(system, way[way.length - 1] as Fd, path, flags);
    } finally {
      for (const fd of opened) system.close(fd);
    }
  },
});

/** A trailing slash or dot asks for a directory: `a/b/.` is `b` as a directory. */
const components = (path: string): string[] => {
  const parts = path.split("/").filter((part) => part !== "");
  if (path.endsWith("/")) parts.push(".");
  return parts;
};

const endsAsDirectory = (path: string): boolean => /(?:^|\/)\.?$/.test(path);

/** Opens once more, with the caller's flags, the very object that a descriptor stands for. */
function reopen(system: Syscalls, fd: Fd, path: string, flags: number): Fd {
  const type = system.statx(fd, "", AT_EMPTY_PATH)?.type;
  if (flags & system.O_DIRECTORY && type !== "directory") {
    throw new SystemError("openat", [fd, ".", { flags: "O_DIRECTORY" }], -ENOTDIR);
  }
  if (type === "symlink" && !(flags & O_PATH)) {
    throw new SystemError("openat", [fd, ".", { flags: "O_NOFOLLOW" }], -ELOOP);
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

/** Picks the resolver: the kernel's, or the walk where the kernel answers that it has none. Any other answer is final. */
export function resolver(system: Syscalls, root: Fd): Resolver {
  const kernel = byOpenat2(system, root);
  try {
    system.close(kernel.open(".", O_PATH));
    return kernel;
  } catch (error) {
    if (error instanceof SystemError && error.errno === ENOSYS) return byWalk(system, root);
    throw error;
  }
}
