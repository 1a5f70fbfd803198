import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeBundle } from "../../../fixtures/bundle.ts";
import { openNamespace, type PrivateNamespace } from "../../../fixtures/run/private-namespace.ts";
import { type Build, nvociHook } from "../build/builds.ts";
import type { Jetson } from "../host/jetson.ts";
import { snapshotMounts, snapshotTree } from "../host/snapshot.ts";
import { openBareContainer } from "./bare-container.ts";

/** Everything that a start could leave behind on the host, in comparable form. */
interface Traces {
  readonly mounts: readonly string[];
  /** Command lines of the hook's processes. */
  readonly processes: readonly string[];
  readonly files: readonly string[];
  readonly descriptors: number;
  /** Rules of the device cgroup that all containers share. */
  readonly deviceRules: readonly string[];
}

/**
 * Starts the hook for one container after another, on one root file system and in one device cgroup. Each
 * container is a mount namespace, as in `openBareContainer`; runc(8) would take most of the time.
 *
 * @returns the traces after the first start and after the last.
 * @throws Error with the hook's output if it fails.
 */
export async function manyStarts(
  build: Build,
  jetson: Jetson,
  count: number,
): Promise<{ first: Traces; last: Traces }> {
  const bundle = makeBundle({ env: ["NVIDIA_VISIBLE_DEVICES=all"] });
  const program = dirname(build.path);
  // Other programs on the machine write to /tmp and /run. The build may be there, too.
  const place = await openNamespace(
    [
      "mount -t tmpfs tmpfs /mnt",
      "mkdir /mnt/bundle /mnt/program",
      `mount --bind ${bundle.directory} /mnt/bundle`,
      `mount --bind ${program} /mnt/program`,
      "mount -t tmpfs tmpfs /tmp",
      "mount -t tmpfs tmpfs /run",
      `mkdir -p ${bundle.directory} ${program}`,
      `mount --bind /mnt/bundle ${bundle.directory}`,
      `mount --bind /mnt/program ${program}`,
      "umount -R /mnt",
    ],
    jetson.place,
  );
  // Kept open for its cgroup.
  const keeper = await openBareContainer(bundle, jetson.place);
  const cgroup = readFileSync(`/proc/${keeper.pid}/cgroup`, "utf8");
  try {
    let first: Traces | undefined;
    for (let start = 0; start < count; start++) {
      await startOne(build, place, bundle, cgroup);
      first ??= traces(place, bundle.rootfs, build, keeper.snapshot().deviceRules);
    }
    const last = traces(place, bundle.rootfs, build, keeper.snapshot().deviceRules);
    return { first: first ?? last, last };
  } finally {
    keeper.close();
    place.close();
    bundle.remove();
  }
}

async function startOne(
  build: Build,
  place: PrivateNamespace,
  { directory, rootfs }: { readonly directory: string; readonly rootfs: string },
  cgroup: string,
): Promise<void> {
  const [, devices = ""] = /^\d+:(?:[^:]*,)?devices(?:,[^:]*)?:(.*)$/m.exec(cgroup) ?? [];
  const container = await openNamespace(
    [
      `mount --bind ${rootfs} ${rootfs}`,
      `mount -t tmpfs -o mode=755 tmpfs ${rootfs}/dev`,
      `echo $$ > /sys/fs/cgroup/devices${devices}/cgroup.procs`,
    ],
    place,
  );
  try {
    const state = {
      ociVersion: "1.0.2",
      id: "many",
      status: "created",
      pid: container.pid,
      bundle: directory,
    };
    const said = place.run(nvociHook(build).args, { input: JSON.stringify(state) });
    if (said.status !== 0 || said.stderr !== "")
      throw new Error(`Cannot start: ${said.status}: ${said.stderr}`);
  } finally {
    container.close();
  }
}

const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
};

function traces(
  place: PrivateNamespace,
  rootfs: string,
  build: Build,
  deviceRules: readonly string[],
): Traces {
  const ours = (line: string): boolean => line.includes(build.path) || line.startsWith("ldconfig -f /dev/");
  const root = `/proc/${place.pid}/root`;
  return {
    mounts: snapshotMounts(place.pid),
    processes: readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(commandLine)
      .filter(ours),
    files: ["/tmp", "/run"].flatMap((path) => snapshotTree(join(root, path))).concat(snapshotTree(rootfs)),
    descriptors: readdirSync("/proc/self/fd").length,
    deviceRules,
  };
}
