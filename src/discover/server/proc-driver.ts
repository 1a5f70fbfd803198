import type { GeneratedDirectory, GeneratedFile, Mount, MountOption } from "../../model/container-edits.ts";
import type { HostView } from "../../model/host-view.ts";
import { below, containerPath, hostPath } from "../../model/paths.ts";
import { readText } from "./driver-version.ts";
import type { Gpu } from "./gpus.ts";
import type { MigDevice } from "./mig.ts";

const DIRECTORY = hostPath("/proc/driver/nvidia");
const OPTIONS: readonly MountOption[] = ["ro", "nosuid", "nodev", "noexec"];
/** Files that the driver's libraries read. */
const COPIED = ["params", "version", "registry"];

/**
 * The parameters, changed so that the driver's libraries neither make nor change device nodes: in the container that
 * would be nodes of GPUs that are not the container's.
 */
const maskParams = (text: string): string => text.replace(/^ModifyDeviceFiles: 1$/m, "ModifyDeviceFiles: 0");

/** What a container sees as /proc/driver/nvidia. */
export interface ProcDriver {
  readonly directory: GeneratedDirectory;
  readonly mounts: readonly Mount[];
}

/**
 * Describes a container's own /proc/driver/nvidia: copies of the module's files, the chosen GPUs and GPU instances,
 * and none of the others.
 *
 * @param managesMig shows every GPU instance.
 */
export function procDriver(
  host: HostView,
  gpus: readonly Gpu[],
  migDevices: readonly MigDevice[],
  managesMig: boolean,
): ProcDriver {
  const files: GeneratedFile[] = [];
  const directories: string[] = [];
  const mounts: Mount[] = [];
  const show = (name: string, kind: "file" | "directory"): void => {
    const path = below(DIRECTORY, `/${name}`);
    if (host.lstat(path) === undefined) return;
    if (kind === "file") files.push({ name, content: "", mode: 0o444 });
    else directories.push(name);
    mounts.push({
      hostPath: path,
      containerPath: containerPath(path),
      kind,
      options: OPTIONS,
      source: "driver",
    });
  };

  for (const name of COPIED) {
    const text = readText(host, below(DIRECTORY, `/${name}`));
    if (text === undefined) continue;
    files.push({ name, content: name === "params" ? maskParams(text) : text, mode: 0o444 });
  }
  for (const { busId } of gpus) show(`gpus/${busId}`, "directory");
  if (managesMig) show("capabilities", "directory");
  else {
    const names = new Set<string>();
    for (const { gpu, gpuInstance, computeInstance } of migDevices) {
      const place = `capabilities/gpu${gpu.minor}/mig/gi${gpuInstance}`;
      names.add(`${place}/access`).add(`${place}/ci${computeInstance}/access`);
    }
    for (const name of names) show(name, "file");
  }
  return {
    directory: { path: containerPath(DIRECTORY), files, directories, source: "driver" },
    mounts,
  };
}
