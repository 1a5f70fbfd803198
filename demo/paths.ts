/** The multiarch name of this machine: the demo's host is a Jetson with this machine's instruction set. */
export const TRIPLET = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";

/** Where L4T 36 keeps the driver's libraries. */
export const DRIVER = `/usr/lib/${TRIPLET}/nvidia`;

export const CUDA = "/usr/local/cuda-12.6";

export const MANIFESTS = "/etc/nvidia-container-runtime/host-files-for-container.d";
