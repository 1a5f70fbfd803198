import { hasControlCharacter } from "../model/control-character.ts";
import {
  type Finding,
  type FindingArguments,
  finding,
  firstFindings,
  type Report,
} from "../model/finding.ts";
import { quote } from "../model/quote.ts";
import type { AskingMount } from "./asking-spec.ts";
import { readImexChannel } from "./imex-channels.ts";

/** What mounts below `/var/run/nvidia-container-devices` ask for. */
export interface VolumeMountRequest {
  /** Names of devices in the order of the mounts, each once. */
  readonly devices: readonly string[];
  readonly imexChannels: readonly number[];
}

type IgnoreReason = FindingArguments["request-volume-mount-ignored"]["reason"];

const ROOT = ["var", "run", "nvidia-container-devices"];

/**
 * The parts of the name that a mount stands for: `["0"]` for `/dev/null` on `/var/run/nvidia-container-devices/0`.
 * Nothing for any other mount, and for the directory itself. The name may still hold `..`.
 */
function readName(mount: AskingMount): string[] | undefined {
  if (mount.source !== "/dev/null" || !mount.destination.startsWith("/")) return undefined;
  if (!mount.destination.includes("nvidia-container-devices")) return undefined;
  const parts = mount.destination.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length <= ROOT.length || ROOT.some((part, index) => parts[index] !== part)) return undefined;
  return parts.slice(ROOT.length);
}

const ignoredMount = (args: FindingArguments["request-volume-mount-ignored"]): Finding =>
  finding("request-volume-mount-ignored", "warning", `mount ${quote(args.destination)}`, args);

/** Whether a mount stands for a device, allowed or not. */
export const isDeviceMount = (mount: AskingMount): boolean => readName(mount) !== undefined;

/**
 * Reads the devices that a container asks for by mounts of `/dev/null`, which a cluster can
 * forbid its users; environment variables it cannot.
 *
 * `imex/<id>` is an IMEX channel; `cdi/<vendor>/<class>/<device>` and `cdi/<vendor>/<class>=<device>` are the CDI
 * name `<vendor>/<class>=<device>`. A name that is not understood, holds a control character or `..` is a
 * finding and asks for nothing.
 */
export function readVolumeMounts(mounts: readonly AskingMount[], report: Report): VolumeMountRequest {
  const devices = new Set<string>();
  const imexChannels = new Set<number>();
  const ignored: FindingArguments["request-volume-mount-ignored"][] = [];
  for (const mount of mounts) {
    const name = readName(mount);
    if (!name) continue;
    const destination = mount.destination;
    const ignore = (reason: IgnoreReason) => ignored.push({ destination, reason });
    const device = name.join("/");
    if (name.includes("..")) {
      ignore("parent-directory");
    } else if (hasControlCharacter(device)) {
      ignore("control-character");
    } else if (name[0] === "imex") {
      const channel = name.length === 2 ? readImexChannel(name[1] ?? "") : undefined;
      if (channel === undefined) ignore("imex-channel");
      else imexChannels.add(channel);
    } else if (name[0] === "cdi") {
      const cdiName = readCdiName(name.slice(1));
      if (cdiName === undefined) ignore("cdi-name");
      else devices.add(cdiName);
    } else {
      devices.add(device);
    }
  }
  for (const found of firstFindings(ignored, ignoredMount)) report(found);
  return { devices: [...devices], imexChannels: [...imexChannels] };
}

/** `["nvidia.com", "gpu", "0"]` and `["nvidia.com", "gpu=0"]` are `nvidia.com/gpu=0`; nothing for other shapes. */
function readCdiName(parts: readonly string[]): string | undefined {
  const [vendor, kind, device] = parts;
  if (vendor === undefined || kind === undefined) return undefined;
  if (parts.length === 3 && !kind.includes("=")) return `${vendor}/${kind}=${device}`;
  return parts.length === 2 && /^[^=]+=[^=]+$/.test(kind) ? `${vendor}/${kind}` : undefined;
}
