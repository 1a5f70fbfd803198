/** A moment in a container's life at which its runtime runs hooks. */
export type HookStage =
  | "prestart"
  | "createRuntime"
  | "createContainer"
  | "startContainer"
  | "poststart"
  | "poststop";

/** What a hook can count on at one stage. */
export interface HookStageFacts {
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
