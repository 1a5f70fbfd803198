/**
 * The CUDA version of the driver in each release of Linux for Tegra, in ascending order. Releases between two rows are
 * like the lower one.
 *
 * @see https://developer.nvidia.com/embedded/jetpack-archive; branches of https://github.com/OE4T/meta-tegra
 * @checked 2026-11-21
 */
export const CUDA_OF_L4T: readonly (readonly [release: string, cuda: string])[] = [
  ["32.1", "10.0"],
  ["32.4", "10.2"],
  ["34.1", "11.4"],
  ["36.2", "12.2"],
  ["36.4", "12.6"],
  ["38.2", "13.0"],
  ["39.2", "13.2"],
];
