import { NvociError } from "../model/errors.ts";
import type { HostView } from "../model/host-view.ts";
import { type HostPath, join } from "../model/paths.ts";
import { decodeUtf8 } from "../model/utf8.ts";
import { parseSpec, type Spec } from "../oci/spec.ts";

/*
 * Small because it is in the bundle that every start reads.
 */

/** How the hook was called. */
export interface HookOptions {
  readonly environ: readonly string[];
  /** The value of `-config`. */
  readonly config: string | undefined;
  readonly debug: boolean;
}

/** Far above any real config.json; a bound all the same. */
const SPEC_LIMIT = 16 * 1024 * 1024;

/**
 * Reads a bundle's config.json.
 *
 * @throws NvociError "spec-invalid"
 */
export function readSpec(host: HostView, bundle: HostPath): Spec {
  const file = join(bundle, "config.json") as HostPath;
  const bytes = host.readFile(file, SPEC_LIMIT);
  if (bytes === undefined)
    throw new NvociError("spec-invalid", `Cannot read "${file}": there is no such file`);
  return parseSpec(decodeText(bytes, file), bundle);
}

/** Bytes as text. @throws NvociError "spec-invalid" where they are not UTF-8 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const decoded = decodeUtf8(bytes);
  if (decoded === undefined)
    throw new NvociError("spec-invalid", `Cannot read "${name}": it is not UTF-8 text`);
  return decoded;
}
