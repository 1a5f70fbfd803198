/**
 * Two kinds of absolute path that look alike and must never be mixed up: one names a file of the host,
 * the other a place below a container's root. They are strings at run time and distinct types for the compiler.
 */

declare const space: unique symbol;

/** An absolute, lexically normal path in the host's file system. */
export type HostPath = string & { readonly [space]: "host" };

/** An absolute, lexically normal path as the container will see it. It means nothing without a root. */
export type ContainerPath = string & { readonly [space]: "container" };

/**
 * Removes `//`, `.`, trailing slashes and resolves `..` by text, clamped at the root.
 *
 * @param text an absolute path; a relative one is taken to be relative to `/`.
 */
function normalize(text: string): string {
  // Nearly every path is normal already, and a regular expression costs more than these three searches.
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

/** Names a file of the host. The text is normalized, nothing is looked up. */
export const hostPath = (text: string): HostPath => normalize(text) as HostPath;

/** Names a place in the container. The text is normalized, nothing is looked up. */
export const containerPath = (text: string): ContainerPath => normalize(text) as ContainerPath;

/** The directory part: `/` for `/a` and for `/`. */
export function dirname<P extends string>(path: P): P {
  const slash = path.lastIndexOf("/");
  return (slash <= 0 ? "/" : path.slice(0, slash)) as P;
}

/** The last component: empty for `/`. */
export const basename = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** Whether `path` is `directory` or lies below it. Both are normal. */
export const isWithin = (path: string, directory: string): boolean =>
  directory === "/" ||
  (path.startsWith(directory) && (path.length === directory.length || path[directory.length] === "/"));

/** Joins and normalizes; an absolute `rest` replaces `base`, as a symbolic link's text does. */
export const join = (base: string, rest: string): string =>
  normalize(rest.startsWith("/") ? rest : `${base}/${rest}`);

/** The same file below another root: `below("/run/driver", "/usr/lib/x")` is `/run/driver/usr/lib/x`. */
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
