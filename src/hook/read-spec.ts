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
 * Small because it is in the bundle that every start reads.
 */

/** How the hook was called. */
export interface HookOptions {
  readonly environ: readonly string[];
  /** The value of `-config`. */
  readonly config: string | undefined;
  readonly debug: boolean;
}

/** A bundle's config.json. */
interface SpecFile {
  readonly text: string;
  readonly spec: Spec;
}

/**
 * Reads a bundle's config.json; `undefined` for a large one that asks for nothing.
 *
 * @throws NvociError "spec-invalid"
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

/** What everybody asks by; who asks by other means alone is given nothing when in doubt, and no error. */
const VARIABLE = "NVIDIA_VISIBLE_DEVICES";

/**
 * Whether a container may be asking for GPUs. One that asks is given something only when the runtime cannot read its
 * documents otherwise. So it is with one that seems not to ask though the variable is in the text: it may be
 * in an `ENV` that we do not see. All others are given nothing by our reading, which needs no proof and costs no time.
 *
 * @param state the state's text, where there is one.
 * @throws NvociError "spec-invalid" or "state-invalid"
 */
export function mayRequestGpusSurely({ text, spec }: SpecFile, bundle: HostPath, state?: string): boolean {
  const asks = mayRequestGpus(spec);
  if (asks || text.includes(VARIABLE)) {
    const { checkDocuments } = loadBundle<typeof import("../oci/known-keys.ts")>("documents");
    checkDocuments(bundle, text, state);
  }
  return asks;
}

/** Bytes as text. @throws NvociError "spec-invalid" where they are not UTF-8 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const decoded = decodeUtf8(bytes);
  if (decoded === undefined)
    throw new NvociError("spec-invalid", `Cannot read ${quote(name, 4096)}: it is not UTF-8 text`);
  return decoded;
}
