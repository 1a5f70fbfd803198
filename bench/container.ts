/**
 * A container without an engine: a process in its own mount namespace, whose root file system is mounted but not yet
 * entered, as when a runtime calls a prestart hook.
 */
import { readFileSync } from "node:fs";
import { type Bundle, makeBundle } from "../fixtures/bundle.ts";
import { openNamespace } from "../fixtures/run/private-namespace.ts";

export interface BenchContainer {
  readonly pid: number;
  /** The OCI state, a hook's standard input. */
  readonly state: string;
  /** Returns the number of mounts below the root file system. */
  mounts(): number;
  close(): Promise<void>;
}

/** Writes a bundle with an empty root file system, for a container that requests GPUs or does not. */
export const emptyBundle = (asks: boolean): Bundle =>
  makeBundle({
    rootfs: () => {},
    env: asks ? ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=all"] : [],
    capabilities: ["CAP_CHOWN", "CAP_KILL"],
  });

/** Starts a new container of the bundle from an image. */
export async function openContainer({ directory, rootfs }: Bundle, image: string): Promise<BenchContainer> {
  const place = await openNamespace([`mount -t tmpfs tmpfs ${rootfs}`, `cp -a ${image}/. ${rootfs}`]);
  const { pid } = place;
  return {
    pid,
    state: JSON.stringify({ ociVersion: "1.0.2", id: "bench", status: "created", pid, bundle: directory }),
    mounts: () => readFileSync(`/proc/${pid}/mountinfo`, "utf8").split(`${rootfs}/`).length - 1,
    close: () => place.close(),
  };
}
