/** A server: a complete driver among the host's libraries, its files in /proc and its nodes, in this namespace. */
import { rmSync, writeFileSync } from "node:fs";
import { CONTROL_DEVICES } from "../fixtures/host/driver-facts.ts";
import { createFakeHost, type FakeHost } from "../fixtures/host/fake-host.ts";
import {
  DRIVER_LIBRARIES,
  DRIVER_VERSION,
  driverFiles,
  FAKE_GPUS,
  kernelFiles,
} from "../fixtures/host/fake-server.ts";
import { writeTree } from "../fixtures/host/tree-entry.ts";
import { mustRun } from "../fixtures/run/run-command.ts";

const CONFIG = "/etc/nvidia-container-runtime/config.toml";

/** The driver's libraries, each with the text after `.so.` in its SONAME. Default: the driver's version. */
const NAMES = [
  ...["cuda 1", "cudadebugger 1", "nvidia-ml 1", "nvidia-cfg 1", "nvidia-nvvm 4", "nvidia-opencl 1"],
  ...["nvidia-ptxjitcompiler 1", "nvidia-fatbinaryloader", "nvidia-allocator 1", "nvidia-compiler"],
  ...["nvidia-pkcs11", "nvidia-pkcs11-openssl3", "vdpau_nvidia 1", "nvidia-encode 1", "nvidia-opticalflow 1"],
  ...["nvcuvid 1", "nvidia-eglcore", "nvidia-glcore", "nvidia-tls", "nvidia-glsi", "nvidia-fbc 1"],
  ...["nvidia-ifr 1", "nvidia-rtcore", "nvoptix 1", "GLX_nvidia 0", "EGL_nvidia 0", "GLESv2_nvidia 2"],
  ...["GLESv1_CM_nvidia 1", "nvidia-glvkspirv", "nvidia-cbl", "nvidia-vulkan-producer", "nvidia-ngx 1"],
  ...["nvidia-egl-gbm 1", "nvidia-egl-wayland 1", "nvidia-gpucomp", "nvidia-nscq 2", "nvidia-api 1"],
  ...["nvidia-sandboxutils 1", "nvidia-egl-xcb 1", "nvidia-egl-xlib 1"],
].map((entry) => entry.split(" "));

const SONAMES: Readonly<Record<string, string>> = Object.fromEntries(
  NAMES.map(([name, major = "*"]) => [`lib${name}.so`, `lib${name}.so.${major}`]),
);

/** Files for the yardstick, all of which the container gets: libraries and device nodes. */
export const serverFiles: readonly string[] = [
  ...Object.keys(SONAMES).map((stem) => `${DRIVER_LIBRARIES}/${stem}.${DRIVER_VERSION}`),
  ...Object.keys(CONTROL_DEVICES),
  ...FAKE_GPUS.map(({ minor }) => `/dev/nvidia${minor}`),
];

/** Turns the board of layHost() into a server, for the life of this namespace. */
export function layServer(): FakeHost {
  rmSync("/etc/nv_tegra_release");
  const driver = driverFiles(DRIVER_VERSION, { sonames: SONAMES });
  // /usr and /etc are overlays already; overlayfs cannot stack one more layer.
  writeTree("/", driver);
  const kernel = createFakeHost(kernelFiles(DRIVER_VERSION, FAKE_GPUS));
  kernel.lay();
  // Keep ldconfig's auxiliary cache off the host.
  mustRun(["mount", "-t", "tmpfs", "tmpfs", "/var/cache"]);
  mustRun(["/sbin/ldconfig"]);
  return kernel;
}

/** Turns ldconfig on or off. The container shares our cgroup, whose rules must not change. */
export function configureServer(ldconfig: boolean): void {
  writeFileSync(CONFIG, `[nvoci]\nldconfig = ${ldconfig}\n[nvidia-container-cli]\nno-cgroups = true\n`);
}
