import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compileLibrary } from "./compile.mjs";
import { MANIFEST_FILES } from "./manifests.mjs";
import { CUDA, DRIVER, MANIFESTS, TRIPLET } from "./paths.mjs";
import { run } from "./run.mjs";

/** A character major that Linux leaves to local use: no driver is behind it, so that opening does no harm. */
const LOCAL_MAJOR = 60;

const RELEASE = `# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic, EABI: aarch64
TARGET_USERSPACE_LIB_DIR=nvidia
TARGET_USERSPACE_LIB_DIR_PATH=usr/lib/${TRIPLET}/nvidia
`;

/**
 * Lays a small Jetson over this machine: files over /usr and /etc, a /dev of its own. Only the caller's mount
 * namespace sees it.
 *
 * @param directory an empty directory for the layers
 */
export function layHost(directory) {
  const layer = join(directory, "layer");
  const put = (path, content) => {
    mkdirSync(dirname(layer + path), { recursive: true });
    writeFileSync(layer + path, content);
  };
  for (const [name, text] of Object.entries(MANIFEST_FILES)) put(`${MANIFESTS}/${name}`, text);
  put("/etc/nv_tegra_release", RELEASE);
  put("/etc/nvpmodel.conf", "< POWER_MODEL ID=0 NAME=MAXN >\n");
  put("/usr/lib/firmware/tegra23x/gpu.bin", "firmware\n");
  putLibraries(layer);
  for (const top of ["usr", "etc"]) {
    run(["mount", "-t", "overlay", "overlay", "-o", `lowerdir=${layer}/${top}:/${top}`, `/${top}`]);
  }
  layDevices(join(directory, "dev"));
}

function putLibraries(layer) {
  const driver = layer + DRIVER;
  compileLibrary(
    `${driver}/libnvrm_gpu.so`,
    "libnvrm_gpu.so",
    'const char *nvrm_version(void) { return "540.4.0"; }',
  );
  const source = "const char *nvrm_version(void); const char *cuda_driver(void) { return nvrm_version(); }";
  compileLibrary(`${driver}/libcuda.so.1.1`, "libcuda.so.1", source, [`-L${driver}`, "-l:libnvrm_gpu.so"]);
  symlinkSync("libcuda.so.1.1", `${driver}/libcuda.so.1`);
  symlinkSync("libcuda.so.1.1", `${driver}/libcuda.so`);
  symlinkSync("nvidia", join(dirname(driver), "tegra"));
  const runtime = 'const char *cuda_runtime(void) { return "12.6"; }';
  compileLibrary(`${layer}${CUDA}/lib64/libcudart.so.12`, "libcudart.so.12", runtime);
  symlinkSync("cuda-12.6", `${layer}/usr/local/cuda`);
}

/** A /dev with what programs need and two of the nodes that the manifests list. */
function layDevices(directory) {
  mkdirSync(directory);
  run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", directory]);
  const nodes = [
    ["null", 1, 3],
    ["zero", 1, 5],
    ["full", 1, 7],
    ["random", 1, 8],
    ["urandom", 1, 9],
    ["tty", 5, 0],
    ["nvmap", LOCAL_MAJOR, 0],
    ["nvhost-gpu", LOCAL_MAJOR, 1],
  ];
  for (const [name, major, minor] of nodes) {
    run(["mknod", join(directory, name), "c", `${major}`, `${minor}`]);
    chmodSync(join(directory, name), 0o666);
  }
  mkdirSync(join(directory, "pts"));
  run(["mount", "--rbind", "/dev/pts", join(directory, "pts")]);
  run(["mount", "--rbind", directory, "/dev"]);
}
