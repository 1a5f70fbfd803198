import { NvociError } from "../../model/errors.ts";
import { basename, dirname, type HostPath, join } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import { AT_REMOVEDIR } from "../../sys/constants.ts";
import { replaceFile } from "../../sys/replace-file.ts";
import { CWD, type Syscalls } from "../../sys/syscalls.ts";
import { quote } from "../../text/quote.ts";
import { encodeUtf8 } from "../../text/utf8.ts";

/** The limit of the kernel. */
const MAX_LINKS = 40;

const refuse = (named: HostPath, reason: string): NvociError =>
  new NvociError("file-invalid", `Cannot edit ${quote(named, 4096)}: ${reason}`, {
    hint: "fix the link or remove it; nothing has been changed",
  });

/**
 * Returns the file behind a name. Administrators keep configuration elsewhere and link to it: nvoci keeps the link
 * and writes its target. The target need not exist, but its directory must.
 *
 * @throws {NvociError} "file-invalid" when links form a loop, or the target's directory does not exist.
 */
export function fileBehind(host: HostView, named: HostPath): HostPath {
  const there = host.realPath(named);
  if (there !== undefined) return there;
  let path = named;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const target = host.readLink(path);
    if (target === undefined) return path;
    // Not normalized: only the kernel knows what `..` after a link means.
    const next = (target.startsWith("/") ? target : `${dirname(path)}/${target}`) as HostPath;
    const directory = host.realPath(dirname(next));
    if (directory === undefined) {
      throw refuse(named, `it is a link to ${quote(next, 4096)}, whose directory does not exist`);
    }
    path = join(directory, basename(next)) as HostPath;
  }
  throw refuse(named, "it is a link that leads back to itself");
}

/** A file's text before and after a change; `undefined` means that the file does not exist. */
export interface FileChange {
  readonly path: HostPath;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Whether its directory is removed with it if it is empty. */
  readonly hasOwnDirectory: boolean;
}

function makeParents(system: Syscalls, host: HostView, path: HostPath): void {
  const parent = dirname(path);
  if (parent === path || host.lstat(parent) !== undefined) return;
  makeParents(system, host, parent);
  system.mkdirat(CWD, parent, 0o755);
}

/**
 * Writes or removes a file atomically, and creates missing directories.
 *
 * @throws {SystemError} "system-call" when a call fails.
 */
export function applyChange(
  system: Syscalls,
  host: HostView,
  { path, after, hasOwnDirectory }: FileChange,
): void {
  if (after !== undefined) {
    makeParents(system, host, path);
    replaceFile(system, path, encodeUtf8(after), { synced: true });
    return;
  }
  system.unlinkat(CWD, path, 0);
  const isEmpty = hasOwnDirectory && host.readDirectory(dirname(path))?.length === 0;
  if (isEmpty) system.unlinkat(CWD, dirname(path), AT_REMOVEDIR);
}

/** The first line of a file that belongs to nvoci alone. */
export const OWN_FILE_HEAD = '# Made by "nvoci configure"; "nvoci configure --remove" removes the file.\n';

/** How the runtime is registered with an engine. */
export interface Registration {
  /** The name under which the engine knows the runtime. */
  readonly name: string;
  /** The wrapper's program. */
  readonly path: HostPath;
  readonly isDefault: boolean;
}

/** A configuration file of an engine. */
export interface EngineFile {
  readonly path: HostPath;
  /** `undefined`: the file does not exist. */
  readonly text: string | undefined;
  /** The file as it was before the first registration. */
  readonly backup: string | undefined;
}

/**
 * A container engine whose configuration nvoci can edit. The functions change nothing: they return the file's new
 * text, or `undefined` for no file.
 */
export interface ContainerEngine {
  readonly title: string;
  readonly file: HostPath;
  /** Returns a file that the engine merges into its main one, if the engine does that. */
  dropIn?(host: HostView): HostPath | undefined;
  /** Whether the file belongs to others too, so that its original is kept as a backup. */
  readonly isShared: boolean;
  /** The command that makes the engine read its configuration again; empty if none is needed. */
  readonly reload: string;
  /** @throws {NvociError} "file-invalid" when the file cannot be edited without losing something. */
  register(file: EngineFile, registration: Registration, host: HostView): string;
  /** Removes what `register` added, and nothing else. */
  unregister(file: EngineFile, registration: Registration): string | undefined;
  /**
   * Returns nvoci's hook file, in a directory of its own, for an engine that runs hooks itself.
   *
   * @param program the path of nvoci without symbolic links.
   */
  hookFile?(configuration: HostPath, program: HostPath): { readonly path: HostPath; readonly text: string };
}
