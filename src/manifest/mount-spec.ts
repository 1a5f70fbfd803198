import type { Source } from "../model/finding.ts";
import type { HostPath } from "../model/paths.ts";

/** What an entry of a manifest is: a device node, a directory, any regular file, or a symbolic link. */
export type MountType = "dev" | "dir" | "lib" | "sym";

/** Every type there is, as manifests spell them. */
export const MOUNT_TYPES: readonly MountType[] = ["dev", "dir", "lib", "sym"];

/** One entry of a manifest: what is asked for, whether or not the host has it. */
export interface MountSpec {
  readonly type: MountType;
  /** Absolute and normal; may hold the wildcards `*`, `?` and `[…]`. */
  readonly path: HostPath;
  /** File and line, counted from 1: `l4t.csv:41`. */
  readonly source: Source;
}
