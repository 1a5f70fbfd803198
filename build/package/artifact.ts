/** A file of a release. */
export interface Artifact {
  readonly file: string;
  readonly content: string | Buffer;
}

/** What is released. */
export interface Release {
  /** The repository. */
  readonly root: string;
  readonly version: string;
  /** Seconds since 1970: the time that archives carry. */
  readonly epoch: number;
}

/** The native program of an architecture. */
export interface Program {
  readonly arch: Architecture;
  readonly path: string;
}

export type Architecture = "x86_64" | "aarch64";
