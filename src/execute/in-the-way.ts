import type { ContainerPath } from "../model/paths.ts";
import { EACCES } from "../sys/errno.ts";
import type { Fd } from "../sys/fd.ts";
import { SystemError } from "../sys/system-error.ts";

/** A place in the container: an open directory and one name in it. */
export interface Place {
  readonly parent: Fd;
  readonly name: string;
}

/**
 * The container has something in the way that is not ours to remove: a directory with content, a file as parent, a
 * volume or another mount, a mount that it shares with the host, or no right of its root's to make the place.
 */
export class InTheWay extends Error {
  readonly path: ContainerPath;
  readonly what: "directory" | "file" | "mount" | "shared mount" | "volume" | "permission";

  constructor(path: ContainerPath, what: InTheWay["what"]) {
    super(`${path}: ${what} in the way`);
    this.path = path;
    this.what = what;
  }
}

export const hasErrno = (error: unknown, errno: number): boolean =>
  error instanceof SystemError && error.errno === errno;

/** Makes something; what the container's root may not make is in the way. */
export function orInTheWay<T>(path: ContainerPath, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw hasErrno(error, EACCES) ? new InTheWay(path, "permission") : error;
  }
}
