import type { Config } from "../config/config.ts";
import { type ContainerPath, containerPath, hostPath } from "../model/paths.ts";
import { type HostView, readText } from "../model/views.ts";

/*
 * Apart from forward-compat.ts, because every board reads this file and few images have such a directory.
 */

const CUDA_COMPAT = containerPath("/usr/local/cuda/compat");
const CUDA_COMPAT_ORIN = containerPath("/usr/local/cuda/compat_orin");

/** The board's names for its type, each followed by a NUL. @see Devicetree Specification, "compatible" */
const COMPATIBLE_FILE = hostPath("/proc/device-tree/compatible");
const ORIN = "nvidia,tegra234";

/**
 * Returns the directory in which images keep a newer libcuda for this host. Orin has a separate one; the
 * configuration overrides both.
 *
 * @returns `undefined` when the configuration forbids an image's libcuda.
 * @see https://docs.nvidia.com/deploy/cuda-compatibility/forward-compatibility.html
 */
export function compatDirectory(host: HostView, config: Config): ContainerPath | undefined {
  const { csv, legacy } = config.nvidiaContainerRuntime.modes;
  if (legacy.cudaCompatMode === "disabled" || config.features.disableCudaCompatLibHook) return undefined;
  if (csv.compatContainerRoot !== undefined) return csv.compatContainerRoot;
  const names = (readText(host, COMPATIBLE_FILE) ?? "").split("\0");
  return names.includes(ORIN) ? CUDA_COMPAT_ORIN : CUDA_COMPAT;
}
