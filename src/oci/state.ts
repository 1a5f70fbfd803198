import type { Document, ObjectReader } from "../model/object-reader.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import { readJsonObject } from "./json-document.ts";

/** What a runtime tells a hook about its container: the part of the OCI state that is used. */
export interface State {
  /** The container's name; empty where the runtime gives none. */
  readonly id: string;
  /** Pid of the container's process as the runtime sees it; 0 for a stopped container, which has none. */
  readonly pid: number;
  /** The directory that holds `config.json`. */
  readonly bundle: HostPath;
}

/** The state, for errors about it. */
export const STATE_DOCUMENT: Document = { name: "the OCI state", code: "state-invalid" };

/** Largest pid the kernel gives out (PID_MAX_LIMIT). */
const MAX_PID = 4_194_304;

/**
 * Reads the state that a runtime writes to a hook's stdin. `bundlePath`, the name of `bundle` before
 * runtime-spec 1.0.0-rc5, is understood; members that are not used are not looked at.
 *
 * @throws NvociError `state-invalid`
 * @see https://github.com/opencontainers/runtime-spec/blob/main/runtime.md#state
 */
export function parseState(text: string): State {
  const state = readJsonObject(STATE_DOCUMENT, text);
  return { id: state.string("id") ?? "", pid: readPid(state), bundle: readBundle(state) };
}

function readPid(state: ObjectReader): number {
  const pid = state.count("pid") ?? 0;
  if (pid === 0 && state.string("status") === "stopped") return 0;
  if (pid >= 1 && pid <= MAX_PID) return pid;
  throw state.invalid("pid", `must be a process id from 1 to ${MAX_PID}, not ${pid}`);
}

function readBundle(state: ObjectReader): HostPath {
  const bundle = state.required("bundle", state.string("bundle") || state.string("bundlePath"));
  if (bundle.includes("\0")) throw state.invalid("bundle", "contains a NUL character");
  // A hook's working directory may be the container's root, so nothing is taken relative to it.
  if (!bundle.startsWith("/")) throw state.invalid("bundle", "must be an absolute path");
  return hostPath(bundle);
}
