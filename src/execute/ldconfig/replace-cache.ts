import { containerPath } from "../../model/paths.ts";
import { AT_SYMLINK_NOFOLLOW, O_CREAT, O_EXCL, O_WRONLY, RENAME_EXCHANGE } from "../../sys/constants.ts";
import { EBUSY, EEXIST, EINVAL, ENOENT } from "../../sys/errno.ts";
import type { Fd, Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import { InTheWay } from "../rootfs/asides.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { Undo } from "../undo.ts";

export const CACHE = "ld.so.cache";
const PATH = containerPath(`/etc/${CACHE}`);

/**
 * The name of the new cache before the exchange, and of the old one afterwards, until everything succeeded. A file
 * that already has this name was left by a killed start.
 */
export const DRAFT = ".nvoci-cache";

interface Context {
  readonly system: Syscalls;
  readonly rootfs: Rootfs;
  readonly undo: Undo;
}

const isFailure = (error: unknown, errno: number): boolean =>
  error instanceof SystemError && error.errno === errno;

/**
 * Replaces the cache. The new file is complete before the two files exchange names in one step, so a cache exists
 * at all times. An identical cache stays.
 *
 * @param etc the container's /etc.
 * @throws {InTheWay} when the cache is a mount.
 */
export function replaceCache(context: Context, etc: Fd, cache: Uint8Array): void {
  const { system, rootfs, undo } = context;
  const old = rootfs.view.readFile(PATH, cache.length);
  if (old !== undefined && sameBytes(old, cache)) {
    if (system.statx(etc, DRAFT, AT_SYMLINK_NOFOLLOW) !== undefined) system.unlinkat(etc, DRAFT, 0);
    return;
  }
  const draft = createDraft(system, etc);
  undo.add(() => system.unlinkat(etc, DRAFT, 0));
  try {
    system.write(draft, cache);
  } finally {
    system.close(draft);
  }
  try {
    system.renameat(etc, DRAFT, etc, CACHE, RENAME_EXCHANGE);
    undo.add(() => system.renameat(etc, DRAFT, etc, CACHE, RENAME_EXCHANGE));
    undo.onCommit(() => system.unlinkat(etc, DRAFT, 0));
  } catch (error) {
    if (isFailure(error, EBUSY)) {
      system.unlinkat(etc, DRAFT, 0);
      throw new InTheWay(PATH, "mount");
    }
    // EINVAL: the file system cannot exchange names. The old cache is then set aside for a moment.
    if (isFailure(error, EINVAL)) rootfs.clear(PATH);
    else if (!isFailure(error, ENOENT)) throw error;
    system.renameat(etc, DRAFT, etc, CACHE);
    undo.add(() => system.renameat(etc, CACHE, etc, DRAFT));
  }
}

function createDraft(system: Syscalls, etc: Fd): Fd {
  const create = (): Fd => system.openat(etc, DRAFT, O_WRONLY | O_CREAT | O_EXCL, 0o644);
  try {
    return create();
  } catch (error) {
    if (!isFailure(error, EEXIST)) throw error;
    system.unlinkat(etc, DRAFT, 0);
    return create();
  }
}

/** Compares four bytes at a time, because an interpreter is slow for a hundred thousand bytes. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  const whole = a.length >> 2;
  const [left, right] = [a, b].map((bytes) => new Uint32Array(bytes.buffer, bytes.byteOffset, whole));
  for (let index = 0; index < whole; index++) if (left?.[index] !== right?.[index]) return false;
  for (let index = whole * 4; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
