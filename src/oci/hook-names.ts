/**
 * Names that existing callers know the hook by, and by which a hook of NVIDIA's own is known in config.json.
 */
export const HOOK_NAMES: readonly string[] = [
  "nvidia-container-runtime-hook",
  "nvidia-container-toolkit",
  "nvoci-hook",
];
