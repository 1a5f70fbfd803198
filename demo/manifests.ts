import { CUDA, DRIVER, TRIPLET } from "./paths.ts";

/** The manifests of the demo's host: a bad line, missing entries, a bare device name, no final line feed. */
export const MANIFEST_FILES = {
  "l4t.csv": `# The driver's libraries
lib, ${DRIVER}/libcuda.so.1.1
sym, ${DRIVER}/libcuda.so.1
sym, ${DRIVER}/libcuda.so
lib, ${DRIVER}/libnvrm_gpu.so
lib, ${DRIVER}/libnvdla_compiler.so
library, ${DRIVER}/libnvos.so

# A link to a directory
sym, /usr/lib/${TRIPLET}/tegra
lib, /etc/nvpmodel.conf`,
  "devices.csv": `# A bare name is a name in /dev
dev, nvmap
dev, /dev/nvhost-gpu
dev, /dev/nvsciipc
`,
  "drivers.csv": `# Firmware, as a whole
dir, /usr/lib/firmware/tegra23x
`,
  "cuda.csv": `# Read because the image asks for all manifests
dir, ${CUDA}
sym, /usr/local/cuda
`,
};
