/**
 * The CUDA version released with each branch of the driver.
 *
 * @see NVIDIA CUDA Toolkit Release Notes, "CUDA Toolkit and Corresponding Driver Versions"
 * @checked 2026-11-21
 */
export const CUDA_OF_BRANCH: readonly (readonly [branch: number, cuda: string])[] = [
  [352, "7.5"],
  [367, "8.0"],
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
  [/\bGRID\b/i, ["grid", "vapps", "vpc", "vcs", "vws", "nvidia", "nvidiartx"]],
  [/\bNVS\b/i, ["nvs"]],
  [/\bNVIDIA RTX\b|^RTX\b/i, ["nvidiartx", "quadro", "quadrortx"]],
  [/^NVIDIA (?:[ABHLT]\d|GH\d|GB\d|PG\d)/i, ["nvidia", "tesla"]],
];
