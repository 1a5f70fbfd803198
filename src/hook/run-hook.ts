import { loadBundle } from "../load.ts";
import { parseState } from "../oci/state.ts";
import { STDIN } from "../sys/linux.ts";
import { linuxHost, readAll } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { decodeText, type HookOptions, mayRequestGpusSurely, readSpec } from "./read-spec.ts";

/*
 * Small because it is a bundle's border: it decides whether the rest of the hook is loaded.
 */

/**
 * Runs the hook for the container whose state is on standard input. One that does not ask for GPUs, which is most of
 * them where this is the default runtime's hook, costs the reading of its config.json and nothing more: the rest of
 * the program is not even loaded.
 */
export function runHook(system: Syscalls, options: HookOptions): void {
  const text = decodeText(readAll(system, STDIN, 0), "the OCI state");
  const state = parseState(text);
  const file = readSpec(linuxHost(system), state.bundle);
  if (file === undefined || !mayRequestGpusSurely(file, state.bundle, text)) return;
  loadBundle<typeof import("./inject.ts")>("hook").inject(system, state, file.spec, options);
}
