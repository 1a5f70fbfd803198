import { NvociError } from "../../model/errors.ts";
import { basename, dirname, type HostPath, join } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import { AT_REMOVEDIR } from "../../sys/constants.ts";
import { replaceFile } from "../../sys/replace-file.ts";
import { CWD, type Syscalls } from "../../sys/syscalls.ts";
import { quote } from "../../text/quote.ts";
import { encodeUtf8 } from "../../text/utf8.ts";

/** As many as the kernel follows. */
const MAX_LINKS = 40;

const refuse = (named: HostPath, reason: string): NvociError =>
  new NvociError("file-invalid", `Cannot edit ${quote(named, 4096)}: ${reason}`, {
    hint: "correct the link or remove it; nothing has been changed",
  });

/**
 * The file that a name stands for. Administrators keep configuration elsewhere and link to it: the link stays, and what
 * it leads to is written. A link to a file that is not there yet counts as well, as long as its directory is there.
 *
 * @throws NvociError "file-invalid" for a loop of links, and for a link into a directory that does not exist.
 */
export function fileBehind(host: HostView, named: HostPath): HostPath {
  const there = host.realPath(named);
  if (there !== undefined) return there;
  let path = named;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const target = host.readLink(path);
    if (target === undefined) return path;
    // Left as it is written: the kernel, and no text, decides what `..` behind a link means.
    const next = (target.startsWith("/") ? target : `${dirname(path)}/${target}`) as HostPath;
    const directory = host.realPath(dirname(next));
    if (directory === undefined) {
      throw refuse(named, `it is a link to ${quote(next, 4096)}, whose directory is not there`);
    }
    path = join(directory, basename(next)) as HostPath;
  }
  throw refuse(named, "it is a link that leads back to itself");
}

/** A file as it is and as it is to be; `undefined` stands for no file. */
export interface FileChange {
  readonly path: HostPath;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Whether its directory goes with it, unless somebody else has something there. */
  readonly hasOwnDirectory: boolean;
}

function makeParents(system: Syscalls, host: HostView, path: HostPath): void {
  const parent = dirname(path);
  if (parent === path || host.lstat(parent) !== undefined) return;
  makeParents(system, host, parent);
  system.mkdirat(CWD, parent, 0o755);
}

/**
 * Makes a change in one step, and the directories that it needs.
 *
 * @throws SystemError
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

/** The first line of a file that is ours alone. */
export const OWN_FILE_HEAD = '# Made by "nvoci configure"; "nvoci configure --remove" removes the file.\n';

/** How an engine is to know the runtime. */
export interface Registration {
  /** The runtime's name for the engine. */
  readonly name: string;
  /** The wrapper's program. */
  readonly path: HostPath;
  readonly isDefault: boolean;
}

/** A configuration file of an engine. */
export interface EngineFile {
  readonly path: HostPath;
  /** Absent: there is no such file. */
  readonly text: string | undefined;
  /** The file as it was before the first registration. */
  readonly backup: string | undefined;
}

/**
 * An engine whose configuration can be edited. The functions read, change nothing, and give the file's new text;
 * `undefined` stands for no file.
 */
export interface ContainerEngine {
  readonly title: string;
  readonly file: HostPath;
  /** A file that the engine adds to its own, where it does. */
  dropIn?(host: HostView): HostPath | undefined;
  /** Whether a file of others' is changed, so that its first state is worth keeping. */
  readonly isShared: boolean;
  /** What makes the engine read its configuration again. */
  readonly reload: string;
  /** @throws NvociError "file-invalid" for a file that cannot be edited without a loss. */
  register(file: EngineFile, registration: Registration, host: HostView): string;
  /** Takes back what `register` added, and nothing else. */
  unregister(file: EngineFile, registration: Registration): string | undefined;
  /**
   * A hook file of ours in a directory of ours, for an engine that starts hooks itself.
   *
   * @param program nvoci, without a symbolic link.
   */
  hookFile?(configuration: HostPath, program: HostPath): { readonly path: HostPath; readonly text: string };
}
