import type { Source } from "../../model/finding.ts";
import type { HostView } from "../../model/host-view.ts";
import { type ContainerPath, containerPath } from "../../model/paths.ts";
import { readText } from "./driver-version.ts";
import type { Gpu } from "./gpus.ts";

/** A file that is not the host's but made for one container. */
export interface GeneratedFile {
  readonly path: ContainerPath;
  readonly content: string;
  /** Permission bits. */
  readonly mode: number;
  readonly source: Source;
}

const PARAMS = "/proc/driver/nvidia/params";

/**
 * The kernel module's parameters, changed so that the driver's libraries do not make nodes of other GPUs in the
 * container; `undefined` where they would not do so anyway.
 */
export function maskedParams(host: HostView): GeneratedFile | undefined {
  const text = readText(host, PARAMS);
  const content = text?.replace(/^ModifyDeviceFiles: 1$/m, "ModifyDeviceFiles: 0");
  if (content === undefined || content === text) return undefined;
  return { path: containerPath(PARAMS), content, mode: 0o444, source: "driver" };
}

const MOST_MASKED_GPUS = 64;

/** A profile by which EGL sees the chosen GPUs only. */
export function applicationProfile(gpus: readonly Gpu[]): GeneratedFile {
  let mask = 0n;
  for (const { minor } of gpus) if (minor < MOST_MASKED_GPUS) mask |= 1n << BigInt(minor);
  // The driver reads hexadecimal numbers here, which JSON does not have.
  const settings = `["EGLVisibleDGPUDevices", 0x${mask.toString(16)}]`;
  const profile = `{"name": "_container_", "settings": ${settings}}`;
  return {
    path: containerPath("/etc/nvidia/nvidia-application-profiles-rc.d/10-container.conf"),
    content: `{"profiles": [${profile}], "rules": [{"pattern": [], "profile": "_container_"}]}\n`,
    mode: 0o444,
    source: "driver",
  };
}
