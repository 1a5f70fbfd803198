import { CAPABILITIES } from "../../driver/capabilities.ts";
import { PARAMS_FILE, PROC_DRIVER, VERSION_FILE } from "../../driver/driver-version.ts";
import { bindMount, type GeneratedFile, type Mount, type MountOption } from "../../model/container-edits.ts";
import { below, containerPath, type HostPath } from "../../model/paths.ts";
import { readText } from "../../model/views.ts";
import { managesMig } from "./device-finders.ts";
import type { Finder, Server } from "./server.ts";

const OPTIONS: readonly MountOption[] = ["ro", "nosuid", "nodev", "noexec"];
/** Files that the driver's libraries read. Containers get copies. */
const COPIED: readonly HostPath[] = [PARAMS_FILE, VERSION_FILE, below(PROC_DRIVER, "/registry")];

/**
 * Changes the parameters so that the driver's libraries neither make nor change device nodes: in the container,
 * they would make nodes of GPUs that are not the container's.
 */
const maskParams = (text: string): string => text.replace(/^ModifyDeviceFiles: 1$/m, "ModifyDeviceFiles: 0");

/** Returns the path of a file relative to {@link PROC_DRIVER}. */
const nameOf = (path: HostPath): string => path.slice(PROC_DRIVER.length + 1);

/**
 * Returns the container's own /proc/driver/nvidia: copies of the module's files, and only the chosen GPUs and GPU
 * instances. A container that manages GPU instances sees all instances.
 */
export const procDriver: Finder = (server) => {
  const { host, image, gpus, migDevices } = server;
  // The kernel makes the directory: a container whose procfs lacks it has nothing to hide.
  if (image.type(containerPath(PROC_DRIVER)) !== "directory") return {};
  const files: GeneratedFile[] = [];
  const directories: string[] = [];
  const mounts: Mount[] = [];
  const show = (path: HostPath, kind: "file" | "directory"): void => {
    if (host.lstat(path) === undefined) return;
    if (kind === "file") files.push({ name: nameOf(path), content: "", mode: 0o444 });
    else directories.push(nameOf(path));
    mounts.push(bindMount(kind, path, containerPath(path), "driver", OPTIONS));
  };

  for (const path of COPIED) {
    const text = readText(host, path);
    if (text === undefined) continue;
    files.push({ name: nameOf(path), content: path === PARAMS_FILE ? maskParams(text) : text, mode: 0o444 });
  }
  for (const { busId } of gpus) show(below(PROC_DRIVER, `/gpus/${busId}`), "directory");
  if (managesMig(server).length > 0) show(CAPABILITIES, "directory");
  else for (const file of new Set(migDevices.flatMap((device) => device.files))) show(file, "file");
  return {
    mounts,
    generated: [{ path: containerPath(PROC_DRIVER), files, directories, source: "driver" }],
  };
};

const MAX_MASKED_GPUS = 64;

/** Generates an application profile that limits EGL to the chosen GPUs. */
export const applicationProfile: Finder<Server> = ({ gpus, capabilities }) => {
  if (!capabilities.has("graphics")) return {};
  let mask = 0n;
  for (const { minor } of gpus) if (minor < MAX_MASKED_GPUS) mask |= 1n << BigInt(minor);
  // The driver accepts hexadecimal numbers here. JSON does not have them.
  const settings = `["EGLVisibleDGPUDevices", 0x${mask.toString(16)}]`;
  const profile = `{"name": "_container_", "settings": ${settings}}`;
  const content = `{"profiles": [${profile}], "rules": [{"pattern": [], "profile": "_container_"}]}\n`;
  const path = containerPath("/etc/nvidia/nvidia-application-profiles-rc.d");
  const files = [{ name: "10-container.conf", content, mode: 0o444 }];
  return { generated: [{ path, files, directories: [], source: "driver" }] };
};
