/**
 * The CUDA version released with each branch of the driver, in ascending order. Branches between two rows are like the
 * lower one.
 *
 * @see NVIDIA CUDA Toolkit Release Notes, "CUDA Toolkit and Corresponding Driver Versions"
 * @see https://github.com/NVIDIA/nvidia-docker/issues/230 for 361, which came with CUDA 8.0 for the P100
 * @see cuda-compat-13-2-595.45.04 and cuda-compat-13-3-610.43.02 in NVIDIA's repository of Fedora 43
 * @see https://docs.nvidia.com/datacenter/tesla/drivers/ 615, and the archive of CUDA 13.4.1
 * @see redistrib_620.70.06.json in NVIDIA's nvidia-driver/redist of 2026-11-04
 * @checked 2026-11-21
 */
export const CUDA_OF_BRANCH: readonly (readonly [branch: number, cuda: string])[] = [
  [340, "6.5"],
  [346, "7.0"],
  [352, "7.5"],
  [361, "8.0"],
  [384, "9.0"],
  [387, "9.1"],
  [396, "9.2"],
  [410, "10.0"],
  [418, "10.1"],
  [440, "10.2"],
  [450, "11.0"],
  [455, "11.1"],
  [460, "11.2"],
  [465, "11.3"],
  [470, "11.4"],
  [495, "11.5"],
  [510, "11.6"],
  [515, "11.7"],
  [520, "11.8"],
  [525, "12.0"],
  [530, "12.1"],
  [535, "12.2"],
  [545, "12.3"],
  [550, "12.4"],
  [555, "12.5"],
  [560, "12.6"],
  [565, "12.7"],
  [570, "12.8"],
  [575, "12.9"],
  [580, "13.0"],
  [590, "13.1"],
  [595, "13.2"],
  [610, "13.3"],
  [615, "13.4"],
  [620, "13.5"],
];

/**
 * Brands by model name, the most specific first. Only NVML knows which of several brands the driver reports (newer
 * drivers call a Tesla T4 `NVIDIA`), so a model has every possible brand.
 *
 * @see nvmlBrandType_t in nvml.h; NVIDIA_REQUIRE_CUDA of the images nvidia/cuda
 * @checked 2026-11-21
 */
export const BRANDS_OF_MODEL: readonly (readonly [model: RegExp, brands: readonly string[]])[] = [
  [/\bGeForce RTX\b/i, ["geforce", "geforcertx"]],
  [/\bGeForce\b/i, ["geforce"]],
  [/\bTITAN RTX\b/i, ["titan", "titanrtx"]],
  [/\bTITAN\b/i, ["titan", "geforce"]],
  [/\bQuadro RTX\b/i, ["quadro", "quadrortx"]],
  [/\bQuadro\b/i, ["quadro"]],
  [/\bTesla\b/i, ["tesla", "nvidia"]],
  [/\bGRID\b/i, ["grid", "vapps", "vpc", "vcs", "vws", "cloudgaming", "nvidia", "nvidiartx"]],
  [/\bNVS\b/i, ["nvs"]],
  [/\bNVIDIA RTX\b|^RTX\b/i, ["nvidiartx", "quadro", "quadrortx"]],
  [/^NVIDIA (?:[ABHLT]\d|GH\d|GB\d|PG\d)/i, ["nvidia", "tesla"]],
];
