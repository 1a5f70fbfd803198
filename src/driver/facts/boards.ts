/**
 * Nodes that only the drivers of Tegra's own GPU make.
 *
 * @see devices.csv and l4t.csv of L4T 32.2 to 39.2, which all list /dev/nvmap
 * @checked 2026-11-21
 */
export const BOARD_NODES: readonly string[] = ["/dev/nvmap", "/dev/nvhost-ctrl-gpu"];

/**
 * The nodes of the integrated GPU's driver nvgpu: as manifests list them, and as Thor names them, with the GPU's PCI
 * address.
 *
 * @see https://github.com/avocado-linux/meta-avocado/pull/248
 * @checked 2026-11-21
 */
export const NVGPU_NODES = { listed: "/dev/nvgpu/igpu0/", thor: "/dev/nvgpu/igpu-*/" } as const;

/**
 * Names by which orchestrators request a board's only GPU, besides those that the driver reports: its index, and what
 * the Kubernetes device plugin uses for a UUID.
 *
 * @see https://github.com/NVIDIA/k8s-device-plugin internal/rm/tegra_devices.go
 * @checked 2026-11-21
 */
export const BOARD_GPU_NAMES: readonly string[] = ["0", "tegra"];
