/** A file of a release. */
export interface Artifact {
  readonly file: string;
  readonly content: string | Buffer;
}

/** The sources of a release. */
export interface Release {
  /** The repository's root. */
  readonly root: string;
  readonly version: string;
  /** The time that archives carry, in seconds since 1970. */
  readonly epoch: number;
}

/** The native program of an architecture. */
export interface Program {
  readonly arch: Architecture;
  readonly path: string;
}

export type Architecture = "x86_64" | "aarch64";
