import { readFileSync } from "node:fs";
import { canLayOver, createFakeHost, type FakeHost } from "./fake-host.ts";
import { type L4tOptions, l4tEntries } from "./l4t-entries.ts";
import { TRIPLET } from "./rootfs.ts";
import type { TreeEntry } from "./tree-entry.ts";

/** Where the manifests lie. */
export const MANIFEST_DIRECTORY = "/etc/nvidia-container-runtime/host-files-for-container.d";

/** A Jetson's host, seen from its manifests. */
export interface FakeL4tOptions extends L4tOptions {
  /** File name to text. */
  readonly manifests: Readonly<Record<string, string>>;
  /** L4T release such as `36.4.3`; `null` for a host without /etc/nv_tegra_release. Default `36.4.3`. */
  readonly release?: string | null;
  /** Anything else the host has. */
  readonly more?: readonly TreeEntry[];
}

/**
 * Makes a fake host that has what its manifests list, the manifests and the release file. What a manifest lists in a
 * directory that the real root lacks, the fake host lacks too.
 */
export function createFakeL4t(options: FakeL4tOptions): FakeHost {
  const { manifests, release = "36.4.3", more = [] } = options;
  const lines = Object.values(manifests).flatMap((text) => text.split("\n"));
  const files: TreeEntry[] = Object.entries(manifests).map(([name, content]) => ({
    kind: "file",
    path: `${MANIFEST_DIRECTORY}/${name}`,
    content,
  }));
  if (release !== null) {
    files.push({ kind: "file", path: "/etc/nv_tegra_release", content: releaseFile(release) });
  }
  const listed = l4tEntries(lines, options).filter(({ path }) => canLayOver(path));
  return createFakeHost([...listed, ...files, ...more]);
}

/** The text of /etc/nv_tegra_release: one line up to R35, three from R36 on. */
function releaseFile(release: string): string {
  const [major = "", ...revision] = release.split(".");
  const first = `# R${major} (release), REVISION: ${revision.join(".")}, GCID: 12345678, BOARD: generic, EABI: aarch64\n`;
  if (Number(major) < 36) return first;
  const directory = "TARGET_USERSPACE_LIB_DIR=nvidia\n";
  return `${first}${directory}TARGET_USERSPACE_LIB_DIR_PATH=usr/lib/aarch64-linux-gnu/nvidia\n`;
}

/** A small manifest of every type, in the manner of an Orin's: chains, a directory link, globs, firmware. */
export const ORIN_MANIFEST = `dev, /dev/nvhost-ctrl-gpu
dev, /dev/nvhost-gpu
dev, /dev/nvmap
dev, /dev/nvgpu/igpu0/ctrl
dev, /dev/dri/card*
dir, /lib/firmware/tegra23x
lib, /usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1.1
sym, /usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1
sym, /usr/lib/aarch64-linux-gnu/nvidia/libcuda.so
lib, /usr/lib/aarch64-linux-gnu/nvidia/libnvrm_gpu.so
lib, /usr/lib/aarch64-linux-gnu/nvidia/libnvos.so
lib, /usr/lib/aarch64-linux-gnu/nvidia/nvidia_icd.json
sym, /etc/vulkan/icd.d/nvidia_icd.json
sym, /usr/lib/aarch64-linux-gnu/tegra
lib, /usr/lib/aarch64-linux-gnu/tegra/libnvmm.so
lib, /usr/lib/aarch64-linux-gnu/libnvv4l2.so
sym, /usr/lib/aarch64-linux-gnu/libv4l2.so.0.0.999999
lib, /etc/nvpmodel.conf
`;

/** A manifest of `count` libraries, each a file of its own, for measuring. */
export const manifestOf = (count: number, directory = "/usr/lib/aarch64-linux-gnu/nvidia"): string =>
  Array.from({ length: count }, (_, index) => `lib, ${directory}/libnvbench${index}.so.1\n`).join("");

/**
 * What makes the host look like a Yocto build on the machine that the tests run on: libc directly in /usr/lib, where
 * the loader looks by itself, and nothing of Debian.
 */
export function yoctoEntries(): TreeEntry[] {
  const libc = `/usr/lib/${TRIPLET}/libc.so.6`;
  return [
    { kind: "file", path: "/usr/lib/libc.so.6", content: readFileSync(libc), mode: 0o755 },
    { kind: "hidden", path: libc },
    { kind: "hidden", path: "/etc/debian_version" },
  ];
}
