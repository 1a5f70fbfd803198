/**
 * Brands by what a model's name says, the most telling first. Without NVML one cannot tell which of several brands
 * the driver would name (newer ones call a Tesla T4 `NVIDIA`), so a model has all that it may be.
 */
const BRANDS: readonly (readonly [model: RegExp, brands: readonly string[]])[] = [
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

/** The brands a model may have, in lower case and without blanks; none where its name does not tell. */
export const gpuBrands = (model: string): readonly string[] =>
  BRANDS.find(([pattern]) => pattern.test(model))?.[1] ?? [];
