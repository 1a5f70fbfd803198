import { readSoname } from "../../elf/read-soname.ts";
import { basename, dirname, type HostPath, hostPath, isWithin, join } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import type { Operation } from "../../plan/operation.ts";

/** An operation that gives a container something with a path. */
export type Giving = Exclude<
  Operation,
  { op: "cover-directory" | "update-ldcache" | "update-musl-path" | "allow-devices" }
>;

const isGiving = (operation: Operation): operation is Giving =>
  !["cover-directory", "update-ldcache", "update-musl-path", "allow-devices"].includes(operation.op);

/** Reports whether a file has the name that was asked for: a path, a file's name, or one without its version. */
export function isNamed(path: string, name: string): boolean {
  if (name.startsWith("/")) return path === name;
  const file = basename(path);
  return file === name || (!name.includes(".so") && file.startsWith(`${name}.so`));
}

/** Returns a library's name up to and including `.so`; the name unchanged when it has no `.so`. */
export const stemOf = (name: string): string => name.replace(/\.so.*$/, ".so");

/** The operation that gives a name to a container. */
export interface Given {
  /** The path in the container: the link's, if the name is one. */
  readonly path: string;
  /** What is at the end of links. */
  readonly operation: Giving;
  /** Whether it is only inside the directory of the operation. */
  readonly isInside: boolean;
}

/** The kernel's limit. */
const MAX_LINKS = 40;

/**
 * Finds the operation that gives a name to the container: a file, or a link and what it leads to, before a directory that
 * contains it. A library is also known by its SONAME, for which ldconfig makes a link. A damaged library has none.
 */
export function findGiving(
  host: HostView,
  operations: readonly Operation[],
  name: string,
): Given | undefined {
  const giving = operations.filter(isGiving);
  const stem = stemOf(name);
  const hasSoname = (operation: Giving): boolean => {
    if (name.startsWith("/") || operation.op !== "bind-file") return false;
    if (!basename(operation.path).startsWith(stem)) return false;
    const soname = readSoname(host, operation.hostPath);
    return soname === undefined || soname === name;
  };
  const found =
    giving.find(({ op, path }) => op !== "make-link" && isNamed(path, name)) ??
    giving.find(({ path }) => isNamed(path, name)) ??
    giving.find(hasSoname);
  if (found !== undefined) return { path: found.path, operation: endOf(giving, found), isInside: false };
  const inside = giving.find(
    (operation) => operation.op === "bind-directory" && contains(host, operation, name),
  );
  return inside && { path: inside.path, operation: inside, isInside: true };
}

/** Follows links to what they lead to, as far as it is given too. */
function endOf(giving: readonly Giving[], start: Giving): Giving {
  let end = start;
  for (let links = 0; end.op === "make-link" && links < MAX_LINKS; links++) {
    const target = join(dirname(end.path), end.target);
    const next = giving.find(({ path }) => path === target);
    if (next === undefined) return end;
    end = next;
  }
  return end;
}

function contains(
  host: HostView,
  { hostPath: from, path }: { readonly hostPath: HostPath; readonly path: string },
  name: string,
): boolean {
  if (!name.startsWith("/")) return (host.readDirectory(from) ?? []).includes(name);
  return isWithin(name, path) && host.lstat(hostPath(`${from}${name.slice(path.length)}`)) !== undefined;
}
