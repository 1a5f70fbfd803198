import { loadBundle } from "../load.ts";
import { NvociError } from "../model/errors.ts";
import { type HostPath, join } from "../model/paths.ts";
import { decodeUtf8 } from "../model/utf8.ts";
import { parseSpec, type Spec } from "../oci/spec.ts";
import { parseState } from "../oci/state.ts";
import { mayAsk } from "../request/may-ask.ts";
import { linuxHost, readAll } from "../sys/linux-host.ts";
import { STDIN } from "../sys/linux.ts";
import type { Syscalls } from "../sys/syscalls.ts";

/** How the hook was called. */
export interface HookOptions {
  readonly environ: readonly string[];
  /** The value of `-config`. */
  readonly config: string | undefined;
  readonly debug: boolean;
}

/** Far above any real config.json; a bound all the same. */
const SPEC_LIMIT = 16 * 1024 * 1024;

function readSpec(system: Syscalls, bundle: HostPath): Spec {
  const file = join(bundle, "config.json") as HostPath;
  const bytes = linuxHost(system).readFile(file, SPEC_LIMIT);
  if (bytes === undefined) throw new NvociError("spec-invalid", `Cannot read "${file}": there is no such file`);
  return parseSpec(text(bytes, file), bundle);
}

function text(bytes: Uint8Array, name: string): string {
  const decoded = decodeUtf8(bytes);
  if (decoded === undefined) throw new NvociError("spec-invalid", `Cannot read "${name}": it is not UTF-8 text`);
  return decoded;
}

/**
 * Runs the hook for the container whose state is on standard input. One that does not ask for GPUs, which is most of
 * them where this is the default runtime's hook, costs the reading of its config.json and nothing more: the rest of
 * the program is not even loaded.
 */
export function prestart(system: Syscalls, options: HookOptions): void {
  const state = parseState(text(readAll(system, STDIN, 0), "the OCI state"));
  const spec = readSpec(system, state.bundle);
  if (!mayAsk(spec)) return;
  loadBundle<typeof import("./hook.ts")>("hook").inject(system, state, spec, options);
}
