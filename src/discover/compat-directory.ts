import type { Config } from "../config/config.ts";
import type { HostView } from "../model/host-view.ts";
import { type ContainerPath, containerPath, hostPath } from "../model/paths.ts";
import { decodeUtf8 } from "../model/utf8.ts";

const CUDA_COMPAT = containerPath("/usr/local/cuda/compat");
const CUDA_COMPAT_ORIN = containerPath("/usr/local/cuda/compat_orin");

/** The boards' own words for what they are, each with a NUL behind it. @see Devicetree Specification, "compatible" */
const COMPATIBLE_FILE = hostPath("/proc/device-tree/compatible");
const ORIN = "nvidia,tegra234";

/** Where images have a newer libcuda for this host: Orin's has a place of its own, and the configuration decides. */
export function compatDirectory(host: HostView, config: Config): ContainerPath {
  const configured = config.nvidiaContainerRuntime.modes.csv.compatContainerRoot;
  if (configured !== undefined) return configured;
  const words = decodeUtf8(host.readFile(COMPATIBLE_FILE) ?? new Uint8Array(0)) ?? "";
  return words.split("\0").includes(ORIN) ? CUDA_COMPAT_ORIN : CUDA_COMPAT;
}
