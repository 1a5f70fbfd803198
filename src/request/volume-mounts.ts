import { NvociError } from "../model/errors.ts";
import {
  type Finding,
  type FindingArguments,
  finding,
  firstFindings,
  type Report,
} from "../model/finding.ts";
import { hasControlCharacter, quote, splitList } from "../text/quote.ts";
import type { RequestMount } from "./request.ts";

/** Number of channels that the driver can have: `NV_MAX_IMEX_CHANNELS` limits the minor numbers. */
const MAX_CHANNEL = 1 << 20;

/**
 * Channels that one container gets. A job gets one. Each costs the host a device node, a mount and a cgroup rule,
 * so an image must not decide how many there are.
 */
const MAX_CHANNELS = 64;

/**
 * Checks the number of requested channels.
 *
 * @param source where the request comes from, for the error.
 * @throws {NvociError} "request-invalid" when there are more than 64.
 */
export function checkChannelCount(channels: readonly number[], source: string): void {
  if (channels.length <= MAX_CHANNELS) return;
  throw new NvociError(
    "request-invalid",
    `Cannot add ${channels.length} IMEX channels to the container: ${source} may request at most ${MAX_CHANNELS}`,
  );
}

/** Returns the number of an IMEX channel, or `undefined` if the text is not a decimal number below 2^20. */
function parseImexChannel(text: string): number | undefined {
  if (!/^\d{1,7}$/.test(text)) return undefined;
  const channel = Number(text);
  return channel < MAX_CHANNEL ? channel : undefined;
}

/**
 * Parses `NVIDIA_IMEX_CHANNELS`. `all` alone requests no channel, because there are a million of them.
 *
 * @throws {NvociError} "request-invalid" when an item is not a channel number.
 */
export function parseImexChannels(value: string): readonly number[] {
  const words = splitList(value);
  if (words.length === 1 && words[0] === "all") return [];
  const channels = words.map((word) => {
    const channel = parseImexChannel(word);
    if (channel !== undefined) return channel;
    throw new NvociError(
      "request-invalid",
      `Cannot use the channel ${quote(word)} (NVIDIA_IMEX_CHANNELS): channels are numbers below ${MAX_CHANNEL}`,
    );
  });
  return [...new Set(channels)];
}

/** What mounts below `/var/run/nvidia-container-devices` request. */
interface VolumeMountRequest {
  /** Names of devices in the order of the mounts, without duplicates. */
  readonly devices: readonly string[];
  readonly imexChannels: readonly number[];
}

type IgnoreReason = FindingArguments["request-volume-mount-ignored"]["reason"];

const ROOT = ["var", "run", "nvidia-container-devices"];

/**
 * Returns the components of the name that a mount requests: `["0"]` for `/dev/null` on
 * `/var/run/nvidia-container-devices/0`; `undefined` for any other mount and for the directory itself. The name may
 * still contain `..`.
 */
function parseName(mount: RequestMount): string[] | undefined {
  if (mount.source !== "/dev/null" || !mount.destination.startsWith("/")) return undefined;
  if (!mount.destination.includes("nvidia-container-devices")) return undefined;
  const parts = mount.destination.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length <= ROOT.length || ROOT.some((part, index) => parts[index] !== part)) return undefined;
  return parts.slice(ROOT.length);
}

const ignoredMount = (args: FindingArguments["request-volume-mount-ignored"]): Finding =>
  finding("request-volume-mount-ignored", "warning", `mount ${quote(args.destination)}`, args);

/** Reports whether a mount requests a device, allowed or not. */
export const isDeviceMount = (mount: RequestMount): boolean => parseName(mount) !== undefined;

/**
 * Reads the devices that a container requests by mounting `/dev/null`. A cluster can forbid such mounts; it cannot
 * forbid environment variables.
 *
 * `imex/<id>` is an IMEX channel; `cdi/<vendor>/<class>/<device>` and `cdi/<vendor>/<class>=<device>` are the CDI
 * name `<vendor>/<class>=<device>`. A name that is invalid, or that contains a control character or `..`, is
 * reported and ignored.
 */
export function parseVolumeMounts(mounts: readonly RequestMount[], report: Report): VolumeMountRequest {
  const devices = new Set<string>();
  const imexChannels = new Set<number>();
  const ignored: FindingArguments["request-volume-mount-ignored"][] = [];
  for (const mount of mounts) {
    const name = parseName(mount);
    if (!name) continue;
    const destination = mount.destination;
    const ignore = (reason: IgnoreReason) => ignored.push({ destination, reason });
    const device = name.join("/");
    if (name.includes("..")) {
      ignore("parent-directory");
    } else if (hasControlCharacter(device)) {
      ignore("control-character");
    } else if (name[0] === "imex") {
      const channel = name.length === 2 ? parseImexChannel(name[1] ?? "") : undefined;
      if (channel === undefined) ignore("imex-channel");
      else imexChannels.add(channel);
    } else if (name[0] === "cdi") {
      const cdiName = parseCdiName(name.slice(1));
      if (cdiName === undefined) ignore("cdi-name");
      else devices.add(cdiName);
    } else {
      devices.add(device);
    }
  }
  for (const found of firstFindings(ignored, ignoredMount)) report(found);
  return { devices: [...devices], imexChannels: [...imexChannels] };
}

/** Returns `nvidia.com/gpu=0` for `["nvidia.com", "gpu", "0"]` and `["nvidia.com", "gpu=0"]`, else `undefined`. */
function parseCdiName(parts: readonly string[]): string | undefined {
  const [vendor, kind, device] = parts;
  if (vendor === undefined || kind === undefined) return undefined;
  if (parts.length === 3 && !kind.includes("=")) return `${vendor}/${kind}=${device}`;
  return parts.length === 2 && /^[^=]+=[^=]+$/.test(kind) ? `${vendor}/${kind}` : undefined;
}
