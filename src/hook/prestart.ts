import { loadBundle } from "../load.ts";
import { parseState } from "../oci/state.ts";
import { STDIN } from "../sys/linux.ts";
import { linuxHost, readAll } from "../sys/linux-host.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { decodeText, mayAskSurely, readSpec } from "./read-spec.ts";

/** How the hook was called. */
export interface HookOptions {
  readonly environ: readonly string[];
  /** The value of `-config`. */
  readonly config: string | undefined;
  readonly debug: boolean;
}

/**
 * Runs the hook for the container whose state is on standard input. One that does not ask for GPUs, which is most of
 * them where this is the default runtime's hook, costs the reading of its config.json and nothing more: the rest of
 * the program is not even loaded.
 */
export function prestart(system: Syscalls, options: HookOptions): void {
  const text = decodeText(readAll(system, STDIN, 0), "the OCI state");
  const state = parseState(text);
  const file = readSpec(linuxHost(system), state.bundle);
  if (file === undefined || !mayAskSurely(file, state.bundle, text)) return;
  loadBundle<typeof import("./hook.ts")>("hook").inject(system, state, file.spec, options);
}
