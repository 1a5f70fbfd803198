import { type HostPath, hostPath } from "../model/paths.ts";
import {
  faulty,
  type JsonDocument,
  type JsonObject,
  parseJsonObject,
  readCount,
  readString,
} from "./json-document.ts";

/** What a runtime tells a hook about its container: the part of the OCI state that is used. */
export interface State {
  /** The container's name; empty where the runtime gives none. */
  readonly id: string;
  /** Pid of the container's process as the runtime sees it; 0 for a stopped container, which has none. */
  readonly pid: number;
  /** The directory that holds `config.json`. */
  readonly bundle: HostPath;
  /** `creating`, `created`, `running`, `stopped`; empty where the runtime gives none. */
  readonly status: string;
}

/** The state, for errors about it. */
export const STATE_DOCUMENT: JsonDocument = { name: "the OCI state", code: "state-invalid" };

/** Largest pid the kernel gives out (PID_MAX_LIMIT). */
const LARGEST_PID = 4_194_304;

/**
 * Reads the state that a runtime writes to a hook's stdin. `bundlePath`, the name of `bundle` before
 * runtime-spec 1.0.0-rc5, is understood; members that are not used are not looked at.
 *
 * @throws NvociError `state-invalid`
 * @see https://github.com/opencontainers/runtime-spec/blob/main/runtime.md#state
 */
export function parseState(text: string): State {
  const state = parseJsonObject(STATE_DOCUMENT, text);
  const status = readString(STATE_DOCUMENT, "status", state.status) ?? "";
  return {
    id: readString(STATE_DOCUMENT, "id", state.id) ?? "",
    pid: readPid(state, status),
    bundle: readBundle(state),
    status,
  };
}

function readPid(state: JsonObject, status: string): number {
  const pid = readCount(STATE_DOCUMENT, "pid", state.pid) ?? 0;
  if (pid === 0 && status === "stopped") return 0;
  if (pid >= 1 && pid <= LARGEST_PID) return pid;
  throw faulty(STATE_DOCUMENT, `pid must be a process id from 1 to ${LARGEST_PID}, not ${pid}`);
}

function readBundle(state: JsonObject): HostPath {
  const bundle =
    readString(STATE_DOCUMENT, "bundle", state.bundle) ||
    readString(STATE_DOCUMENT, "bundlePath", state.bundlePath);
  if (!bundle) throw faulty(STATE_DOCUMENT, "bundle is missing");
  if (bundle.includes("\0")) throw faulty(STATE_DOCUMENT, "bundle contains a NUL character");
  // A hook's working directory may be the container's root, so nothing is taken relative to it.
  if (!bundle.startsWith("/")) throw faulty(STATE_DOCUMENT, "bundle must be an absolute path");
  return hostPath(bundle);
}
