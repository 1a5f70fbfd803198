import type { FileType } from "../model/host-view.ts";
import type { ImageView } from "../model/image-view.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import type { Spec } from "../oci/spec.ts";

/** Asks for every GPU and every part of the driver. */
const ASKS = ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=all"];

/**
 * An unprivileged container that asks for everything, for questions that no real container goes with.
 *
 * @param env further variables, `NAME=value`; they come after the ones that ask, so that they can replace them.
 * @param rootfs its root directory. Default: the host's own root, which is named and never looked into.
 */
export function imaginaryContainer(env: readonly string[] = [], rootfs: HostPath = hostPath("/")): Spec {
  return {
    root: { path: rootfs },
    env: [...ASKS, ...env],
    user: { uid: 0, gid: 0 },
    boundingCapabilities: [],
    mounts: [],
    devices: [],
    userNamespace: false,
    mountLabel: undefined,
  };
}

const ELF_MAGIC = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46);

/** What most images have, as far as anybody asks. */
const DEBIAN_TREE: Readonly<Record<string, FileType>> = {
  "/etc/debian_version": "file",
  "/proc/driver/nvidia": "directory",
  "/sbin/ldconfig": "file",
  "/usr/lib": "directory",
};

/** What most images look like, for questions that no image goes with. */
export const DEBIAN_IMAGE: ImageView = {
  readFile: () => undefined,
  readRange: (path, offset, length) =>
    path === "/sbin/ldconfig" ? ELF_MAGIC.subarray(offset, offset + length) : undefined,
  readDirectory: () => [],
  type: (path) => DEBIAN_TREE[path],
  identity: (path) => (path in DEBIAN_TREE ? path : undefined),
};
