import { basename, below, dirname, type HostPath, hostPath, join } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";

/** Where the driver is installed: the host's own root, or the root of a container that carries the driver. */
export interface DriverRoot {
  readonly host: HostView;
  readonly root: HostPath;
  /**
   * The real file behind a path as programs inside the root see it: no symbolic link is left, and absolute links
   * lead to places inside the root.
   *
   * @returns a path of the host; `undefined` when nothing is there.
   */
  resolve(path: string): HostPath | undefined;
  /** The names in a directory, sorted; empty when it is not there. */
  list(path: string): readonly string[];
  /** The real path of the first of `directories` that has `name`. */
  first(directories: readonly string[], name: string): HostPath | undefined;
}

/** As many links as the kernel follows. @see path_resolution(7) */
const MAX_LINKS = 40;

/** Looks at the driver's files below `root`. */
export function driverRoot(host: HostView, root: HostPath): DriverRoot {
  const resolve =
    root === "/"
      ? (path: string): HostPath | undefined => host.realPath(hostPath(path))
      : resolver(host, root);
  return {
    host,
    root,
    resolve,
    list: (path) => {
      const directory = resolve(path);
      return directory === undefined ? [] : (host.readDirectory(directory) ?? []).sort();
    },
    first(directories, name) {
      for (const directory of directories) {
        const real = resolve(`${directory}/${name}`);
        if (real !== undefined) return real;
      }
      return undefined;
    },
  };
}

/** realPath() would follow an absolute link out of the root, so links are followed here, one by one. */
function resolver(host: HostView, root: HostPath): (path: string) => HostPath | undefined {
  // Most files lie in few directories.
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
