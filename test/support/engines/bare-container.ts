import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, makeBundle } from "../../../fixtures/bundle.ts";
import { compileC } from "../../../fixtures/run/compile-c.ts";
import { createContainer } from "../../../fixtures/run/container.ts";
import { openNamespace, type PrivateNamespace } from "../../../fixtures/run/private-namespace.ts";
import type { CommandResult } from "../../../fixtures/run/run-command.ts";
import { snapshotMounts, snapshotTree } from "../host/snapshot.ts";

/**
 * A container that outlives a failed hook: a process in a new mount namespace, with the bundle's root mounted but
 * not yet entered. A runtime is in this state when it calls a prestart hook. Nothing tears the container down.
 */
export interface BareContainer {
  readonly pid: number;
  /** Runs a hook as the runtime would, with the container's OCI state as input. */
  runHook(command: readonly string[]): CommandResult;
  /** Returns everything that a hook can change in the container, in comparable form. */
  snapshot(): BareSnapshot;
  close(): void;
}

interface BareSnapshot {
  /** The root's tree, including /dev. */
  readonly files: readonly string[];
  readonly mounts: readonly string[];
  /** cgroup v1: the lines of devices.list. cgroup v2: identity and content hash of each device program. */
  readonly deviceRules: readonly string[];
}

/**
 * Opens a container of a bundle on a host. Its device cgroup is one that runc(8) created for a container without
 * devices.
 */
export async function openBareContainer(bundle: Bundle, place: PrivateNamespace): Promise<BareContainer> {
  const cgroupBundle = makeBundle({ rootfs: "busybox" });
  const owner = createContainer(cgroupBundle, undefined, place);
  const { rootfs } = bundle;
  const keeper = await openNamespace(
    [
      `mount --bind ${rootfs} ${rootfs}`,
      `mount -t tmpfs -o mode=755 tmpfs ${rootfs}/dev`,
      `mount -t proc proc ${rootfs}/proc`,
    ],
    place,
  );
  const cgroup = deviceCgroup(owner.pid, place);
  place.run(["sh", "-c", `echo ${keeper.pid} > ${cgroup.directory}/cgroup.procs`]);
  const state = JSON.stringify({
    ociVersion: "1.0.2",
    id: "bare",
    status: "created",
    pid: keeper.pid,
    bundle: bundle.directory,
  });
  return {
    pid: keeper.pid,
    runHook: (command) => place.run(command, { input: state }),
    snapshot: () => ({
      files: snapshotTree(join(`/proc/${keeper.pid}/root`, rootfs), ["/proc"]),
      mounts: snapshotMounts(keeper.pid),
      deviceRules: cgroup.rules(),
    }),
    close() {
      keeper.close();
      owner.delete();
      cgroupBundle.remove();
    },
  };
}

/** Returns the cgroup that controls a process' devices, as the hook locates it: version 1 if it is mounted. */
function deviceCgroup(pid: number, place: PrivateNamespace): { directory: string; rules: () => string[] } {
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").trimEnd().split("\n");
  const isOnlyV2 = place.run(["test", "-e", "/sys/fs/cgroup/cgroup.controllers"]).status === 0;
  const pathOf = (controller: string): string | undefined =>
    lines.find((line) => line.split(":")[1] === controller)?.replace(/^\d+:[^:]*:/, "");
  const directory = `/sys/fs/cgroup${isOnlyV2 ? pathOf("") : `/devices${pathOf("devices")}`}`;
  const command = isOnlyV2
    ? [compileC(join(import.meta.dirname, "device-programs.c")), directory]
    : ["cat", `${directory}/devices.list`];
  return {
    directory,
    rules: () => {
      const { stdout, stderr } = place.run(command);
      if (stdout === "") throw new Error(`Cannot read the device rules of "${directory}": ${stderr}`);
      return stdout.trimEnd().split("\n");
    },
  };
}
