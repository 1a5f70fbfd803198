import { readJsonObject } from "../json/json-fault.ts";
import type { Document, ObjectReader } from "../model/object-reader.ts";
import { type HostPath, hostPath } from "../model/paths.ts";

/**
 * Names that existing callers know the hook by, and by which a hook of NVIDIA's own is known in config.json.
 */
export const HOOK_NAMES: readonly string[] = [
  "nvidia-container-runtime-hook",
  "nvidia-container-toolkit",
  "nvoci-hook",
];

/** A moment in a container's life at which its runtime runs hooks. */
type HookStage =
  | "prestart"
  | "createRuntime"
  | "createContainer"
  | "startContainer"
  | "poststart"
  | "poststop";

/** What a hook can count on at one stage. */
interface HookStageFacts {
  /** Whose namespaces the hook runs in. */
  readonly namespaces: "runtime" | "container";
  /** Whether the state's pid means something to the hook: in the container's pid namespace it does not. */
  readonly hostPid: boolean;
  /** Whether the specification advises against the stage. Docker and podman use `prestart` all the same. */
  readonly deprecated: boolean;
}

/**
 * The stages in the order in which a runtime reaches them.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config.md#posix-platform-hooks
 */
export const HOOK_STAGES: Readonly<Record<HookStage, HookStageFacts>> = {
  prestart: { namespaces: "runtime", hostPid: true, deprecated: true },
  createRuntime: { namespaces: "runtime", hostPid: true, deprecated: false },
  createContainer: { namespaces: "container", hostPid: false, deprecated: false },
  startContainer: { namespaces: "container", hostPid: false, deprecated: false },
  poststart: { namespaces: "runtime", hostPid: true, deprecated: false },
  poststop: { namespaces: "runtime", hostPid: false, deprecated: false },
};

/** Whether a word of the command line names a stage. */
export const isHookStage = (word: string): word is HookStage => Object.hasOwn(HOOK_STAGES, word);

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
