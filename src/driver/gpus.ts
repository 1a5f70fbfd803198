import { finding, type Report } from "../model/finding.ts";
import { below } from "../model/paths.ts";
import { type HostView, readText } from "../model/views.ts";
import { PROC_DRIVER } from "./driver-version.ts";

/** A GPU that is bound to the driver. */
export interface Gpu {
  /** Position in the order of PCI addresses, as in nvidia-smi. */
  readonly index: number;
  /** Number of `/dev/nvidia<minor>`, which need not be the index. */
  readonly minor: number;
  /** `GPU-…`; `undefined` until the GPU is first opened. */
  readonly uuid: string | undefined;
  readonly address: PciAddress;
  /** `0000:01:00.0`, as procfs and sysfs write it. */
  readonly busId: string;
  /** `NVIDIA A100-SXM4-40GB`; empty when the driver does not report it. */
  readonly model: string;
}

const GPUS = below(PROC_DRIVER, "/gpus");
const UUID = /^GPU-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Lists the GPUs from the kernel module's own files. Loads no driver library and wakes no GPU. Reports and omits
 * GPUs that the administrator has excluded from the driver.
 *
 * @see "procfs interface" in the README of NVIDIA's driver
 */
export function readGpus(host: HostView, report: Report): readonly Gpu[] {
  const found: Omit<Gpu, "index">[] = [];
  for (const name of host.readDirectory(GPUS) ?? []) {
    const path = below(GPUS, `/${name}/information`);
    const address = parsePciAddress(name);
    const text = address && readText(host, path);
    if (address === undefined || text === undefined) continue;
    const fields = parseInformation(text);
    if (/^yes$/i.test(fields.get("GPU Excluded") ?? fields.get("GPU Blacklisted") ?? "")) {
      report(finding("gpu-excluded", "info", `GPU ${name}`, { path }));
      continue;
    }
    const minor = fields.get("Device Minor") ?? "";
    const uuid = fields.get("GPU UUID") ?? "";
    if (!/^\d{1,3}$/.test(minor)) {
      // Without the number the node is unknown, and a guess could expose another GPU.
      const args = { path, field: "Device Minor" };
      report(finding("gpu-information-incomplete", "warning", `GPU ${name}`, args));
      continue;
    }
    found.push({
      minor: Number(minor),
      uuid: UUID.test(uuid) ? uuid : undefined,
      address,
      busId: formatPciAddress(address),
      model: fields.get("Model") ?? "",
    });
  }
  found.sort((a, b) => comparePlaces(a.address, b.address));
  return found.map((gpu, index) => ({ index, ...gpu }));
}

/** Parses the lines `Name: <white space> value` of a GPU's information file. */
function parseInformation(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  return fields;
}

const comparePlaces = (a: PciAddress, b: PciAddress): number =>
  a.domain - b.domain || a.bus - b.bus || a.device - b.device || a.function - b.function;

/** The position of a device on the PCI bus. */
interface PciAddress {
  readonly domain: number;
  readonly bus: number;
  readonly device: number;
  readonly function: number;
}

const ADDRESS = /^(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])$/i;

/**
 * Parses `domain:bus:device.function` in hexadecimal. Leading zeros and the domain 0 are optional; nvidia-smi
 * writes the domain with eight digits, procfs with four.
 */
export function parsePciAddress(text: string): PciAddress | undefined {
  const match = ADDRESS.exec(text);
  if (match === null) return undefined;
  const [domain, bus, device, unit] = match.slice(1).map((digits) => Number.parseInt(digits ?? "0", 16));
  return { domain: domain ?? 0, bus: bus ?? 0, device: device ?? 0, function: unit ?? 0 };
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

/** Formats an address as procfs and sysfs do: `0000:01:00.0`. */
export const formatPciAddress = (address: PciAddress): string =>
  `${hex(address.domain, 4)}:${hex(address.bus, 2)}:${hex(address.device, 2)}.${address.function}`;

/** Reports whether two addresses are equal. */
export const isSamePlace = (a: PciAddress, b: PciAddress): boolean =>
  a.domain === b.domain && a.bus === b.bus && a.device === b.device && a.function === b.function;
