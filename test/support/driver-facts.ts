/** What the NVIDIA driver says of itself, on a made-up host of either kind. */

/** A GPU, as the driver knows it. */
export interface GpuFacts {
  readonly busId: string;
  readonly minor: number;
  readonly uuid?: string;
  readonly model?: string;
  readonly excluded?: boolean;
}

/** Text of /proc/driver/nvidia/version. */
export const versionText = (version: string): string =>
  `NVRM version: NVIDIA UNIX x86_64 Kernel Module  ${version}  Fri Jul 14 20:46:33 UTC 2023\n`;

/** Text of `information` in a GPU's directory. */
export const gpuText = ({
  busId,
  minor,
  uuid,
  model = "NVIDIA A100-SXM4-40GB",
  excluded,
}: GpuFacts): string =>
  [
    `Model: \t\t ${model}`,
    "IRQ:   \t\t 146",
    `GPU UUID: \t ${uuid ?? "GPU-????????-????-????-????-????????????"}`,
    "Bus Type: \t PCIe",
    `Bus Location: \t ${busId}`,
    `Device Minor: \t ${minor}`,
    `GPU Excluded:\t ${excluded ? "Yes" : "No"}`,
    "",
  ].join("\n");

/** Numbers of the nodes that every driver makes. */
export const CONTROL_DEVICES: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  "/dev/nvidiactl": [195, 255],
  "/dev/nvidia-uvm": [507, 0],
  "/dev/nvidia-uvm-tools": [507, 1],
  "/dev/nvidia-modeset": [195, 254],
};
