// A container without an engine: a process in a mount namespace of its own whose root file system is mounted but not
// yet entered, which is how a runtime leaves things when it calls a prestart hook.

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes a bundle. `asks` tells whether the container asks for GPUs. */
export function makeBundle(directory, asks) {
  const rootfs = join(directory, "rootfs");
  mkdirSync(rootfs, { recursive: true });
  const config = {
    ociVersion: "1.0.2",
    process: {
      args: ["true"],
      env: [
        "PATH=/usr/bin:/bin",
        ...(asks ? ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=all"] : []),
      ],
      cwd: "/",
      capabilities: { bounding: ["CAP_CHOWN", "CAP_KILL"] },
    },
    root: { path: "rootfs" },
    linux: { namespaces: [{ type: "mount" }] },
  };
  writeFileSync(join(directory, "config.json"), JSON.stringify(config));
  return { directory, rootfs };
}

/** Starts a fresh container of the bundle from an image: `{ pid, state, mounts(), close() }`. */
export async function openContainer(bundle, image) {
  const script = `mount -t tmpfs tmpfs ${bundle.rootfs} && cp -a ${image}/. ${bundle.rootfs} && echo ready && exec cat`;
  const keeper = spawn(
    "/usr/bin/unshare",
    ["--mount", "--propagation", "private", "--", "sh", "-c", script],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const closed = new Promise((resolve) => keeper.once("close", resolve));
  await new Promise((resolve, reject) => {
    keeper.stdout.once("data", resolve);
    keeper.once("close", () => reject(new Error("Cannot start the container")));
  });
  const { pid } = keeper;
  return {
    pid,
    state: JSON.stringify({
      ociVersion: "1.0.2",
      id: "bench",
      status: "created",
      pid,
      bundle: bundle.directory,
    }),
    /** How many mounts lie below the root file system. */
    mounts: () => readFileSync(`/proc/${pid}/mountinfo`, "utf8").split(`${bundle.rootfs}/`).length - 1,
    close: () => {
      keeper.stdin.end();
      keeper.kill("SIGKILL");
      return closed;
    },
  };
}
