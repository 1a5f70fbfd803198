// A server: the driver's libraries among those of the host, its files in /proc and its device nodes, in this mount
// namespace only.

import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { must } from "./host.mjs";

const VERSION = "550.54.14";
const TRIPLET = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
const LIBRARIES = `/usr/lib/${TRIPLET}`;
const CONFIG = "/etc/nvidia-container-runtime/config.toml";

/** The driver's libraries, each with what follows `.so.` in its SONAME. Without that the SONAME has the version. */
const NAMES = [
  ...["cuda 1", "cudadebugger 1", "nvidia-ml 1", "nvidia-cfg 1", "nvidia-nvvm 4", "nvidia-opencl 1"],
  ...["nvidia-ptxjitcompiler 1", "nvidia-fatbinaryloader", "nvidia-allocator 1", "nvidia-compiler"],
  ...["nvidia-pkcs11", "nvidia-pkcs11-openssl3", "vdpau_nvidia 1", "nvidia-encode 1", "nvidia-opticalflow 1"],
  ...["nvcuvid 1", "nvidia-eglcore", "nvidia-glcore", "nvidia-tls", "nvidia-glsi", "nvidia-fbc 1"],
  ...["nvidia-ifr 1", "nvidia-rtcore", "nvoptix 1", "GLX_nvidia 0", "EGL_nvidia 0", "GLESv2_nvidia 2"],
  ...["GLESv1_CM_nvidia 1", "nvidia-glvkspirv", "nvidia-cbl", "nvidia-vulkan-producer", "nvidia-ngx 1"],
  ...["nvidia-egl-gbm 1", "nvidia-egl-wayland 1", "nvidia-gpucomp", "nvidia-nscq 2", "nvidia-api 1"],
  ...["nvidia-sandboxutils 1", "nvidia-egl-xcb 1", "nvidia-egl-xlib 1"],
].map((words) => words.split(" "));

/** Numbers of the driver's device nodes, two GPUs' among them. */
const NODES = {
  nvidiactl: [195, 255],
  nvidia0: [195, 0],
  nvidia1: [195, 1],
  "nvidia-uvm": [507, 0],
  "nvidia-uvm-tools": [507, 1],
  "nvidia-modeset": [195, 254],
};

const libraryPaths = NAMES.map(([name]) => `${LIBRARIES}/lib${name}.so.${VERSION}`);

/** The files that the container gets at least, for the yardstick: libraries and device nodes. */
export const serverFiles = [...libraryPaths, ...Object.keys(NODES).map((name) => `/dev/${name}`)];

function makeLibraries() {
  for (const [index, [name, major = VERSION]] of NAMES.entries()) {
    const soname = `-Wl,-soname,lib${name}.so.${major}`;
    must("gcc", "-shared", "-nostdlib", "-s", soname, "-x", "c", "/dev/null", "-o", libraryPaths[index]);
  }
  // ldconfig's own notes are the host's.
  must("mount", "-t", "tmpfs", "tmpfs", "/var/cache");
  must("/sbin/ldconfig");
}

function makeProc(directory) {
  const driver = join(directory, "driver");
  const files = {
    "nvidia/version": `NVRM version: NVIDIA UNIX x86_64 Kernel Module  ${VERSION}  Thu Feb 22 01:44:30 UTC 2024\n`,
    "nvidia/params": "ModifyDeviceFiles: 1\nDeviceFileUID: 0\nDeviceFileGID: 0\nDeviceFileMode: 438\n",
  };
  for (const minor of [0, 1]) {
    const bus = `0000:0${minor + 1}:00.0`;
    const uuid = `GPU-00000000-0000-0000-0000-00000000000${minor}`;
    files[`nvidia/gpus/${bus}/information`] =
      `Model: \t\t NVIDIA L4\nGPU UUID: \t ${uuid}\nBus Location: \t ${bus}\nDevice Minor: \t ${minor}\n`;
  }
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(driver, name)), { recursive: true });
    writeFileSync(join(driver, name), content);
  }
  must("mount", "--bind", driver, "/proc/driver");
}

function makeDev() {
  must("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/dev");
  const others = { null: [1, 3], zero: [1, 5], full: [1, 7], random: [1, 8], urandom: [1, 9] };
  mkdirSync("/dev/char");
  for (const [name, [major, minor]] of Object.entries({ ...others, ...NODES })) {
    must("mknod", "-m", "0666", `/dev/${name}`, "c", `${major}`, `${minor}`);
    symlinkSync(`../${name}`, `/dev/char/${major}:${minor}`);
  }
}

/** Turns the host that makeHost() made into a server; it is no Jetson from then on. */
export function makeServer(directory) {
  rmSync("/etc/nv_tegra_release");
  makeLibraries();
  makeProc(directory);
  makeDev();
}

/** Turns ldconfig on or off. The container has no cgroup of its own, and ours is to keep its rules. */
export function configureServer(ldconfig) {
  writeFileSync(CONFIG, `[nvoci]\nldconfig = ${ldconfig}\n[nvidia-container-cli]\nno-cgroups = true\n`);
}
