import { readFileSync } from "node:fs";
import { CONTROL_DEVICES, type GpuFacts, gpuText, versionText } from "./driver-facts.ts";
import { createFakeHost, type FakeHost, type FakeHostOptions } from "./fake-host.ts";
import { compileLinked, type LinkedProgram } from "./linked-program.ts";
import type { PrivateNamespace } from "./private-namespace.ts";
import { TRIPLET } from "./rootfs.ts";
import { sharedObject } from "./shared-object.ts";
import { deviceEntry, fileEntry, type TreeEntry } from "./tree-entry.ts";

/** Version of the driver where a test does not care. */
export const DRIVER_VERSION = "535.86.05";

/** A GPU of a fake server. Its node has major 195, for which the kernel has no driver here. */
export type FakeGpu = GpuFacts & { readonly uuid: string };

/** Two GPUs whose minors run against their places on the bus, as happens on real boards. */
export const FAKE_GPUS: readonly [FakeGpu, FakeGpu] = [
  { busId: "0000:17:00.0", minor: 1, uuid: "GPU-8f3c0aa1-1111-4222-8333-444455556666" },
  { busId: "0000:65:00.0", minor: 0, uuid: "GPU-91d2b7c4-1111-4222-8333-444455556666" },
];

/** SONAME of each library of the driver, by the file's name up to `.so`; `*` is the driver's version. */
export const DRIVER_SONAMES: Readonly<Record<string, string>> = {
  "libnvidia-ml.so": "libnvidia-ml.so.1",
  "libnvidia-cfg.so": "libnvidia-cfg.so.1",
  "libcuda.so": "libcuda.so.1",
  "libnvidia-ptxjitcompiler.so": "libnvidia-ptxjitcompiler.so.1",
  "libnvidia-opencl.so": "libnvidia-opencl.so.1",
  "libnvidia-ngx.so": "libnvidia-ngx.so.1",
  "libnvidia-encode.so": "libnvidia-encode.so.1",
  "libnvcuvid.so": "libnvcuvid.so.1",
  "libnvidia-opticalflow.so": "libnvidia-opticalflow.so.1",
  "vdpau/libvdpau_nvidia.so": "libvdpau_nvidia.so.1",
  "libnvidia-eglcore.so": "libnvidia-eglcore.so.*",
  "libnvidia-glcore.so": "libnvidia-glcore.so.*",
  "libGLX_nvidia.so": "libGLX_nvidia.so.0",
  "libEGL_nvidia.so": "libEGL_nvidia.so.0",
};

/** Where the fake driver's libraries lie, below the driver root. */
export const DRIVER_LIBRARIES = `/usr/lib/${TRIPLET}`;

/** What a fake server has besides {@link FAKE_GPUS}, the driver's libraries and its nodes. */
export interface FakeServerOptions extends FakeHostOptions {
  /** Of the kernel modules; `null` when none are loaded. Default {@link DRIVER_VERSION}. */
  readonly modules?: string | null;
  /** Of the libraries, each installed whole. Default: that of the modules. */
  readonly versions?: readonly string[];
  readonly gpus?: readonly FakeGpu[];
  /** Below which the driver's files are; the kernel's stay where they are. Default: the host's own root. */
  readonly root?: string;
  /** Text of config.toml. */
  readonly config?: string;
  readonly more?: readonly TreeEntry[];
  /** Shell lines run on the host at last, when its ld.so.cache is written. */
  readonly setup?: readonly string[];
}

/** A fake server that is switched on. */
export interface FakeServer {
  readonly host: FakeHost;
  readonly place: PrivateNamespace;
  /** Device nodes of the driver, those of the GPUs first. */
  readonly devices: readonly string[];
  close(): void;
}

/** Opens a fake server. Its ld.so.cache and SONAME links are the work of the real ldconfig(8). It needs gcc. */
export async function openServer(options: FakeServerOptions = {}): Promise<FakeServer> {
  const { modules = DRIVER_VERSION, gpus = FAKE_GPUS, root = "", more = [], setup = [] } = options;
  const { versions = [modules ?? DRIVER_VERSION], config } = options;
  const host = createFakeHost([
    ...versions.flatMap((version) => driverFiles(version, { root })),
    ...kernelFiles(modules, gpus),
    ...(config === undefined ? [] : [fileEntry("/etc/nvidia-container-runtime/config.toml", config)]),
    ...(root === "" ? [] : [{ kind: "directory", path: `${root}/etc` } as const]),
    ...more,
  ]);
  const place = await host.open(options);
  const cached = root === "" ? "ldconfig" : `ldconfig -r ${root} ${DRIVER_LIBRARIES}`;
  // A module of VDPAU has its link from the package, since no ldconfig looks into that directory.
  const links = `cd ${root}${DRIVER_LIBRARIES}/vdpau && ln -s $(ls | tail -n 1) libvdpau_nvidia.so.1`;
  mustRunIn(place, [cached, links, ...setup].join("\n"));
  return {
    host,
    place,
    devices: [...gpus.map(({ minor }) => `/dev/nvidia${minor}`), ...Object.keys(CONTROL_DEVICES)],
    close: () => {
      place.close();
      host.remove();
    },
  };
}

function mustRunIn(place: PrivateNamespace, script: string): void {
  const { status, stderr } = place.run(["sh", "-ec", script]);
  if (status !== 0) throw new Error(`Cannot prepare "the fake server": ${stderr}`);
}

/** How a driver's files differ from those of a fake server. */
export interface DriverOptions {
  /** Below which the files are. */
  readonly root?: string;
  /** The SONAME of each library. Default {@link DRIVER_SONAMES}. */
  readonly sonames?: Readonly<Record<string, string>>;
}

/** Everything that one version of the driver installs. */
export function driverFiles(version: string, options: DriverOptions = {}): TreeEntry[] {
  const { root = "", sonames = DRIVER_SONAMES } = options;
  const libraries = Object.entries(sonames).map(([stem, soname]) => {
    const path = `${root}${DRIVER_LIBRARIES}/${stem}.${version}`;
    if (stem === "libcuda.so") return fileEntry(path, readFileSync(compileCuda().library), 0o755);
    return fileEntry(path, sharedObject(soname.replace("*", version), { tail: version }), 0o755);
  });
  return [
    ...libraries,
    fileEntry(
      `${root}${DRIVER_LIBRARIES}/libnvidia-egl-wayland.so.1.1.13`,
      sharedObject("libnvidia-egl-wayland.so.1"),
    ),
    fileEntry(`${root}/usr/bin/nvidia-smi`, "#!/bin/sh\necho smi\n", 0o755),
    fileEntry(`${root}/usr/bin/nvidia-cuda-mps-control`, "#!/bin/sh\n", 0o755),
    // What changes the host is no container's business.
    fileEntry(`${root}/usr/bin/nvidia-modprobe`, "#!/bin/sh\n", 0o4755),
    fileEntry(`${root}/usr/lib/firmware/nvidia/${version}/gsp_tu10x.bin`, version),
    fileEntry(`${root}/usr/share/vulkan/icd.d/nvidia_icd.json`, "{}\n"),
    fileEntry(`${root}/etc/OpenCL/vendors/nvidia.icd`, "libnvidia-opencl.so.1\n"),
    ...(root === "" ? [] : [{ kind: "link", path: `${root}/lib`, target: "usr/lib" } as const]),
  ];
}

/** What the driver's kernel modules show: their files in /proc and their nodes. */
export function kernelFiles(modules: string | null, gpus: readonly FakeGpu[]): TreeEntry[] {
  const proc = "/proc/driver/nvidia";
  return [
    ...(modules === null ? [] : [fileEntry(`${proc}/version`, versionText(modules), 0o444)]),
    fileEntry(
      `${proc}/params`,
      "ResmanDebugLevel: 4294967295\nModifyDeviceFiles: 1\nDeviceFileMode: 438\n",
      0o444,
    ),
    fileEntry(`${proc}/registry`, 'Binary: ""\n', 0o444),
    ...gpus.map((gpu) => fileEntry(`${proc}/gpus/${gpu.busId}/information`, gpuText(gpu), 0o444)),
    ...gpus.map(({ minor }) => deviceEntry(`/dev/nvidia${minor}`, 195, minor)),
    ...Object.entries(CONTROL_DEVICES).map(([path, [major, minor]]) => deviceEntry(path, major, minor)),
  ];
}

/** A libcuda with one function, and a program that is linked to it by its SONAME and prints what that returns. */
export const compileCuda = (): LinkedProgram => compileLinked("cuda", "libcuda.so.1", 535);
