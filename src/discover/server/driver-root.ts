import { basename, below, dirname, type HostPath, hostPath, join } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";

/** The root of the driver's installation: the host's root, or that of a driver container. */
export interface DriverRoot {
  readonly host: HostView;
  readonly root: HostPath;
  /**
   * Resolves a path as programs inside the root see it: without symbolic links, and with absolute links leading
   * inside the root.
   *
   * @returns a path of the host; `undefined` when the path does not exist.
   */
  resolve(path: string): HostPath | undefined;
  /** Returns the path by which programs inside the root know a path of the host below it. */
  inside(path: HostPath): string;
  /** Returns the names in a directory, sorted; empty when it does not exist. */
  list(path: string): readonly string[];
  /** Returns the directories that exist, each under the first of its names. */
  existing(directories: readonly string[]): readonly string[];
}

/** The kernel's limit on symbolic links in one lookup. @see path_resolution(7) */
const MAX_LINKS = 40;

/** Opens the driver's installation below `root`. */
export function driverRoot(host: HostView, root: HostPath): DriverRoot {
  const resolve =
    root === "/"
      ? (path: string): HostPath | undefined => host.realPath(hostPath(path))
      : resolver(host, root);
  return {
    host,
    root,
    resolve,
    inside: (path) => (root === "/" ? path : path.slice(root.length)),
    list: (path) => {
      const directory = resolve(path);
      return directory === undefined ? [] : (host.readDirectory(directory) ?? []).sort();
    },
    existing(directories) {
      const found = new Map<HostPath, string>();
      for (const directory of directories) {
        const real = resolve(directory);
        if (real !== undefined && !found.has(real)) found.set(real, directory);
      }
      return [...found.values()];
    },
  };
}

/** Follows links one by one, because realPath() would follow an absolute link out of the root. */
function resolver(host: HostView, root: HostPath): (path: string) => HostPath | undefined {
  // Most files are in few directories.
  const directories = new Map<string, string | undefined>();

  const follow = (path: string, links: number): string | undefined => {
    if (path === "/") return path;
    const directory = followDirectory(dirname(path), links);
    if (directory === undefined) return undefined;
    const here = join(directory, basename(path));
    const text = host.readLink(below(root, here));
    if (text === undefined) return host.lstat(below(root, here)) && here;
    return links === 0 ? undefined : follow(join(directory, text), links - 1);
  };
  const followDirectory = (path: string, links: number): string | undefined => {
    if (directories.has(path)) return directories.get(path);
    const real = follow(path, links);
    directories.set(path, real);
    return real;
  };

  return (path) => {
    const real = follow(hostPath(path), MAX_LINKS);
    return real === undefined ? undefined : below(root, real);
  };
}
