import { loadBundle } from "../load.ts";
import { NvociError } from "../model/errors.ts";
import { type HostPath, join } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import { parseSpec, type Spec } from "../oci/spec.ts";
import { mayRequestGpus } from "../request/visible-devices.ts";
import { quote } from "../text/quote.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { readSpecFile } from "./read-spec-file.ts";

/*
 * Small because it belongs to the part that every start loads.
 */

/** How the hook was called. */
export interface HookOptions {
  readonly environ: readonly string[];
  /** The value of `-config`. */
  readonly config: string | undefined;
  readonly debug: boolean;
}

/** A bundle's config.json, as text and parsed. */
interface SpecFile {
  readonly text: string;
  readonly spec: Spec;
}

/**
 * Reads a bundle's config.json.
 *
 * @returns `undefined` for a large file that does not request GPUs.
 * @throws {NvociError} "spec-invalid" when it does not exist or is not valid.
 */
export function readSpec(host: HostView, bundle: HostPath): SpecFile | undefined {
  const file = join(bundle, "config.json") as HostPath;
  const bytes = readSpecFile(host, file);
  if (bytes === undefined)
    throw new NvociError("spec-invalid", `Cannot read ${quote(file, 4096)}: there is no such file`);
  if (bytes === "asks-nothing") return undefined;
  const text = decodeText(bytes, file);
  return { text, spec: parseSpec(text, bundle) };
}

/** The usual way to request GPUs. When in doubt, other requests are ignored without an error. */
const VARIABLE = "NVIDIA_VISIBLE_DEVICES";

/**
 * Reports whether a container may request GPUs. If it does, its documents must be unambiguous: the runtime must not be
 * able to read them differently. The same applies if it seems not to request GPUs but its text contains the variable,
 * which may be in an `ENV` that a case-insensitive reader sees and nvoci does not. Other containers get nothing, which
 * requires no check.
 *
 * @param state the state's text, if there is one.
 * @throws {NvociError} "spec-invalid" or "state-invalid" when a document is ambiguous.
 */
export function mayRequestGpusSurely({ text, spec }: SpecFile, bundle: HostPath, state?: string): boolean {
  const asks = mayRequestGpus(spec);
  if (asks || text.includes(VARIABLE)) {
    const { checkDocuments } = loadBundle<typeof import("../oci/known-keys.ts")>("documents");
    checkDocuments(bundle, text, state);
  }
  return asks;
}

/** Decodes UTF-8. @throws {NvociError} "spec-invalid" when the bytes are not UTF-8. */
export function decodeText(bytes: Uint8Array, name: string): string {
  const decoded = decodeUtf8(bytes);
  if (decoded === undefined)
    throw new NvociError("spec-invalid", `Cannot read ${quote(name, 4096)}: it is not UTF-8 text`);
  return decoded;
}
