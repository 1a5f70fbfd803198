import { NvociError } from "../model/errors.ts";
import type { HostView } from "../model/host-view.ts";
import { type HostPath, join } from "../model/paths.ts";
import { decodeUtf8 } from "../model/utf8.ts";
import { parseSpec, type Spec } from "../oci/spec.ts";
import { readSpecFile } from "./read-spec-file.ts";

/**
 * Reads a bundle's config.json; `undefined` for a large one that asks for nothing.
 *
 * @throws NvociError "spec-invalid"
 */
export function readSpec(host: HostView, bundle: HostPath): Spec | undefined {
  const file = join(bundle, "config.json") as HostPath;
  const bytes = readSpecFile(host, file);
  if (bytes === undefined)
    throw new NvociError("spec-invalid", `Cannot read "${file}": there is no such file`);
  if (bytes === "asks-nothing") return undefined;
  return parseSpec(decodeText(bytes, file), bundle);
}

/** Bytes as text. @throws NvociError "spec-invalid" where they are not UTF-8 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const decoded = decodeUtf8(bytes);
  if (decoded === undefined)
    throw new NvociError("spec-invalid", `Cannot read "${name}": it is not UTF-8 text`);
  return decoded;
}
