import { type Finding, finding, type Source } from "../../model/finding.ts";
import { type ContainerPath, containerPath } from "../../model/paths.ts";
import {
  AT_SYMLINK_NOFOLLOW,
  MS_RDONLY,
  O_CREAT,
  O_EXCL,
  O_PATH,
  O_WRONLY,
  RENAME_EXCHANGE,
} from "../../sys/constants.ts";
import { EACCES, EBUSY, EEXIST, EINVAL, ENOENT, EROFS } from "../../sys/errno.ts";
import type { Fd, Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import { InTheWay } from "../rootfs/asides.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { Undo } from "../undo.ts";

/** A file of the container's /etc that nvoci replaces. */
export interface EtcFile {
  readonly name: string;
  /**
   * The name of the new file before the exchange, and of the old one afterwards, until everything succeeded. A file
   * that already has this name was left by a killed start. `nvoci clean` knows these names.
   */
  readonly draft: string;
}

interface Context {
  readonly system: Syscalls;
  readonly rootfs: Rootfs;
  readonly undo: Undo;
}

const pathOf = (name: string): ContainerPath => containerPath(`/etc/${name}`);

const isFailure = (error: unknown, ...numbers: readonly number[]): boolean =>
  error instanceof SystemError && numbers.includes(error.errno);

/** Returns the finding for a file that cannot be written. */
export const readOnly = (source: Source): Finding =>
  finding("container-read-only", "warning", source, { path: "/etc" });

/**
 * Opens the container's /etc if a file in it may be replaced there.
 *
 * @returns a finding when there is no /etc, when it is on a volume or read-only, or when a directory has the name.
 * @throws {InTheWay} when a silent mount has the name: not even its type may be requested.
 */
export function openEtc(
  { system, rootfs }: Context,
  { name, draft }: EtcFile,
  source: Source,
): { readonly etc: Fd } | { readonly found: Finding } {
  const refused = (found: Finding) => ({ found });
  const etc = rootfs.view.open("/etc", O_PATH | system.O_DIRECTORY);
  if (etc === undefined) return refused(finding("container-no-etc", "warning", source, {}));
  const path = pathOf(name);
  if (!rootfs.isOwn(etc)) return refused(finding("container-volume-untouched", "warning", source, { path }));
  for (const one of [name, draft]) rootfs.place(pathOf(one));
  if (system.statx(etc, name, AT_SYMLINK_NOFOLLOW)?.type === "directory") {
    return refused(finding("container-directory-in-the-way", "warning", source, { path }));
  }
  return system.fstatfs(etc).flags & MS_RDONLY ? refused(readOnly(source)) : { etc };
}

/**
 * Replaces a file. The new one is complete before the two exchange names in one step, so a file exists at all times.
 * An identical file stays.
 *
 * @param etc the container's /etc.
 * @returns `false` when the file system is not writable, or not by the container's root.
 * @throws {InTheWay} when the file is a mount.
 */
export function replaceInEtc(context: Context, etc: Fd, file: EtcFile, content: Uint8Array): boolean {
  try {
    replace(context, etc, file, content);
    return true;
  } catch (error) {
    if (isFailure(error, EROFS, EACCES)) return false;
    throw error;
  }
}

function replace(
  { system, rootfs, undo }: Context,
  etc: Fd,
  { name, draft }: EtcFile,
  content: Uint8Array,
): void {
  const path = pathOf(name);
  const old = rootfs.view.readFile(path, content.length);
  if (old !== undefined && sameBytes(old, content)) {
    if (system.statx(etc, draft, AT_SYMLINK_NOFOLLOW) !== undefined) system.unlinkat(etc, draft, 0);
    return;
  }
  const file = createDraft(system, etc, draft);
  undo.add(() => system.unlinkat(etc, draft, 0));
  try {
    system.write(file, content);
  } finally {
    system.close(file);
  }
  try {
    system.renameat(etc, draft, etc, name, RENAME_EXCHANGE);
    undo.add(() => system.renameat(etc, draft, etc, name, RENAME_EXCHANGE));
    undo.onCommit(() => system.unlinkat(etc, draft, 0));
  } catch (error) {
    if (isFailure(error, EBUSY)) {
      system.unlinkat(etc, draft, 0);
      throw new InTheWay(path, "mount");
    }
    // EINVAL: the file system cannot exchange names. The old file is then set aside for a moment.
    if (isFailure(error, EINVAL)) rootfs.clear(path);
    else if (!isFailure(error, ENOENT)) throw error;
    system.renameat(etc, draft, etc, name);
    undo.add(() => system.renameat(etc, name, etc, draft));
  }
}

function createDraft(system: Syscalls, etc: Fd, draft: string): Fd {
  const create = (): Fd => system.openat(etc, draft, O_WRONLY | O_CREAT | O_EXCL, 0o644);
  try {
    return create();
  } catch (error) {
    if (!isFailure(error, EEXIST)) throw error;
    system.unlinkat(etc, draft, 0);
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
