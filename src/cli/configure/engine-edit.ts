import type { HostView } from "../../model/host-view.ts";
import type { HostPath } from "../../model/paths.ts";

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
export interface Engine {
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
