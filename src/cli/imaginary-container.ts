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
    ociVersion: "",
    root: { path: rootfs, readonly: false },
    env: [...ASKS, ...env],
    user: { uid: 0, gid: 0 },
    boundingCapabilities: [],
    mounts: [],
    devices: [],
    userNamespace: false,
    cgroupsPath: undefined,
    mountLabel: undefined,
  };
}
