import { loadBundle } from "../load.ts";
import { parseState } from "../oci/state.ts";
import { STDIN } from "../sys/linux.ts";
import { linuxHost, readAll } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { decodeText, type HookOptions, mayRequestGpusSurely, readSpec } from "./read-spec.ts";

/*
 * Small because it is at the border of a part: it decides whether the rest of the hook is loaded.
 */

/**
 * Runs the hook for the container whose state is on standard input. Where every container has the hook, most do not
 * request GPUs. For those it only reads config.json; the rest of the program is not loaded.
 *
 * @throws {NvociError} when the documents are invalid or the request cannot be met.
 */
export function runHook(system: Syscalls, options: HookOptions): void {
  const text = decodeText(readAll(system, STDIN, 0), "the OCI state");
  const state = parseState(text);
  const file = readSpec(linuxHost(system), state.bundle);
  if (file === undefined || !mayRequestGpusSurely(file, state.bundle, text)) return;
  loadBundle<typeof import("./inject.ts")>("hook").inject(system, state, file.spec, options);
}
