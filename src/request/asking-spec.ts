/** The part of a container's configuration that says what the container asks for. */
export interface AskingSpec {
  /** `NAME=value` entries. */
  readonly env: readonly string[];
  readonly mounts: readonly AskingMount[];
}

/** The part of a mount that can stand for a device. */
export interface AskingMount {
  /** As written in config.json, not normalized. */
  readonly destination: string;
  readonly source?: string | undefined;
}
