import type { GeneratedDirectory } from "../../model/container-edits.ts";
import { containerPath } from "../../model/paths.ts";
import type { Gpu } from "./gpus.ts";

const MOST_MASKED_GPUS = 64;

/** An application profile by which EGL sees the chosen GPUs only. */
export function applicationProfile(gpus: readonly Gpu[]): GeneratedDirectory {
  let mask = 0n;
  for (const { minor } of gpus) if (minor < MOST_MASKED_GPUS) mask |= 1n << BigInt(minor);
  // The driver reads hexadecimal numbers here, which JSON does not have.
  const settings = `["EGLVisibleDGPUDevices", 0x${mask.toString(16)}]`;
  const profile = `{"name": "_container_", "settings": ${settings}}`;
  const content = `{"profiles": [${profile}], "rules": [{"pattern": [], "profile": "_container_"}]}\n`;
  return {
    path: containerPath("/etc/nvidia/nvidia-application-profiles-rc.d"),
    files: [{ name: "10-container.conf", content, mode: 0o444 }],
    directories: [],
    source: "driver",
  };
}
