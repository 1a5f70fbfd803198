/**
 * Two kinds of absolute path that must never be confused: one names a file of the host, the other a file below a
 * container's root. They are strings at run time and distinct types for the compiler.
 */

declare const space: unique symbol;

/** An absolute, lexically normal path in the host's file system. */
export type HostPath = string & { readonly [space]: "host" };

/** An absolute, lexically normal path inside a container. It means nothing without a root. */
export type ContainerPath = string & { readonly [space]: "container" };

/**
 * Removes `//`, `.` and trailing slashes, and resolves `..` lexically, never above the root.
 *
 * @param text an absolute path, or one relative to `/`.
 */
function normalize(text: string): string {
  // Nearly every path is already normal, and a regular expression costs more than these searches.
  if (text.startsWith("/") && !text.includes("//") && !text.includes("/.") && !text.endsWith("/"))
    return text;
  const kept: string[] = [];
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") kept.pop();
    else kept.push(part);
  }
  return `/${kept.join("/")}`;
}

/** Returns a path of the host. Normalizes the text without reading the file system. */
export const hostPath = (text: string): HostPath => normalize(text) as HostPath;

/** Returns a path inside a container. Normalizes the text without reading the file system. */
export const containerPath = (text: string): ContainerPath => normalize(text) as ContainerPath;

/** Returns the directory part: `/` for `/a` and for `/`. */
export function dirname<P extends string>(path: P): P {
  const slash = path.lastIndexOf("/");
  return (slash <= 0 ? "/" : path.slice(0, slash)) as P;
}

/** Returns the last component: empty for `/`. */
export const basename = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** Reports whether `path` is `directory` or below it. Both must be normal. */
export const isWithin = (path: string, directory: string): boolean =>
  directory === "/" ||
  (path.startsWith(directory) && (path.length === directory.length || path[directory.length] === "/"));

/** Joins and normalizes two paths. An absolute `rest` replaces `base`, as a symbolic link's text does. */
export const join = (base: string, rest: string): string =>
  normalize(rest.startsWith("/") ? rest : `${base}/${rest}`);

/** Returns the same path below another root: `below("/run/driver", "/usr/lib/x")` is `/run/driver/usr/lib/x`. */
export const below = (root: string, path: string): HostPath =>
  (root === "/" ? path : path === "/" ? root : `${root}${path}`) as HostPath;

/** Where programs are when no PATH says so, in the order of a PATH. */
export const PROGRAM_DIRECTORIES: readonly string[] = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
];
