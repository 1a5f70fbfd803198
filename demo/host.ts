import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createFakeHost, type FakeHost } from "../fixtures/host/fake-host.ts";
import { deviceEntry, fileEntry, type TreeEntry } from "../fixtures/host/tree-entry.ts";
import { compileLibrary } from "./compile.ts";
import { MANIFEST_FILES } from "./manifests.ts";
import { CUDA, DRIVER, MANIFESTS, TRIPLET } from "./paths.ts";

/** A character major for local use. It has no driver, so opening such a node does no harm. */
const LOCAL_MAJOR = 60;

const RELEASE = `# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic, EABI: aarch64
TARGET_USERSPACE_LIB_DIR=nvidia
TARGET_USERSPACE_LIB_DIR_PATH=usr/lib/${TRIPLET}/nvidia
`;

/**
 * Makes a small Jetson with this machine's instruction set: manifests, real libraries, two of the listed nodes.
 *
 * @param directory where the libraries are compiled.
 */
export function makeHost(directory: string): FakeHost {
  return createFakeHost([
    ...Object.entries(MANIFEST_FILES).map(([name, text]) => fileEntry(`${MANIFESTS}/${name}`, text)),
    fileEntry("/etc/nv_tegra_release", RELEASE),
    fileEntry("/etc/nvpmodel.conf", "< POWER_MODEL ID=0 NAME=MAXN >\n"),
    fileEntry("/usr/lib/firmware/tegra23x/gpu.bin", "firmware\n"),
    ...libraries(directory),
    link(`${DRIVER}/libcuda.so.1`, "libcuda.so.1.1"),
    link(`${DRIVER}/libcuda.so`, "libcuda.so.1.1"),
    link(`${dirname(DRIVER)}/tegra`, "nvidia"),
    link("/usr/local/cuda", "cuda-12.6"),
    deviceEntry("/dev/nvmap", LOCAL_MAJOR, 0),
    deviceEntry("/dev/nvhost-gpu", LOCAL_MAJOR, 1),
  ]);
}

const link = (path: string, target: string): TreeEntry => ({ kind: "link", path, target });

function libraries(directory: string): TreeEntry[] {
  const compiled = (path: string, soname: string, source: string, options?: readonly string[]): TreeEntry => {
    const file = join(directory, soname);
    compileLibrary(file, soname, source, options);
    return fileEntry(path, readFileSync(file), 0o755);
  };
  const gpu = 'const char *nvrm_version(void) { return "540.4.0"; }';
  const cuda = "const char *nvrm_version(void); const char *cuda_driver(void) { return nvrm_version(); }";
  const runtime = 'const char *cuda_runtime(void) { return "12.6"; }';
  return [
    compiled(`${DRIVER}/libnvrm_gpu.so`, "libnvrm_gpu.so", gpu),
    compiled(`${DRIVER}/libcuda.so.1.1`, "libcuda.so.1", cuda, [`-L${directory}`, "-l:libnvrm_gpu.so"]),
    compiled(`${CUDA}/lib64/libcudart.so.12`, "libcudart.so.12", runtime),
  ];
}
