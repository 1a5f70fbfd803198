import { readJsonObject } from "../json/json-fault.ts";
import type { Document, ObjectReader } from "../model/object-reader.ts";
import { type HostPath, hostPath } from "../model/paths.ts";

/** Names that callers use for the hook. In config.json they identify NVIDIA's own hook too. */
export const HOOK_NAMES: readonly string[] = [
  "nvidia-container-runtime-hook",
  "nvidia-container-toolkit",
  "nvoci-hook",
];

/** A stage of a container's life at which the runtime runs hooks. */
type HookStage =
  | "prestart"
  | "createRuntime"
  | "createContainer"
  | "startContainer"
  | "poststart"
  | "poststop";

/** What applies to hooks of one stage. */
interface HookStageFacts {
  /** Whose namespaces the hook runs in. */
  readonly namespaces: "runtime" | "container";
  /** Whether the state's pid is valid for the hook: it is not in the container's pid namespace. */
  readonly hostPid: boolean;
  /** Whether the specification deprecates the stage. Docker and podman still use `prestart`. */
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

/** Reports whether an argument names a stage. */
export const isHookStage = (word: string): word is HookStage => Object.hasOwn(HOOK_STAGES, word);

/** The part of the OCI state that nvoci uses. */
export interface State {
  /** The container's id; empty if the runtime passes none. */
  readonly id: string;
  /**
   * Pid of the container's process in the runtime's pid namespace; 0 for a stopped container, which has no
   * process.
   */
  readonly pid: number;
  /** The directory of `config.json`. */
  readonly bundle: HostPath;
}

/** The description of the state, for errors. */
export const STATE_DOCUMENT: Document = { name: "the OCI state", code: "state-invalid" };

/** The kernel's largest pid (PID_MAX_LIMIT). */
const MAX_PID = 4_194_304;

/**
 * Parses the state that a runtime writes to a hook's stdin. `bundlePath`, the name of `bundle` before runtime-spec
 * 1.0.0-rc5, is accepted. Other members are not checked.
 *
 * @throws {NvociError} "state-invalid" when the text is invalid; the message has the member.
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
  // The hook's working directory may be the container's root, so a relative path would be hostile.
  if (!bundle.startsWith("/")) throw state.invalid("bundle", "must be an absolute path");
  return hostPath(bundle);
}
