import { type Finding, finding } from "../../model/finding.ts";
import type { HostView } from "../../model/host-view.ts";
import { hostPath } from "../../model/paths.ts";
import { readText } from "./driver-version.ts";
import { formatPciAddress, type PciAddress, parsePciAddress } from "./pci-address.ts";

/** A GPU that the driver has bound. */
export interface Gpu {
  /** Place in the order of PCI addresses, as nvidia-smi counts. */
  readonly index: number;
  /** Number of `/dev/nvidia<minor>`, which need not be the index. */
  readonly minor: number;
  /** `GPU-…`; unknown until somebody opens the GPU for the first time. */
  readonly uuid: string | undefined;
  readonly address: PciAddress;
  /** `0000:01:00.0`, as procfs and sysfs write it. */
  readonly busId: string;
  /** `NVIDIA A100-SXM4-40GB`; empty where the driver does not say. */
  readonly model: string;
}

const DIRECTORY = "/proc/driver/nvidia/gpus";
const UUID = /^GPU-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Reads which GPUs there are from the kernel module's own files. No driver library is loaded and no GPU is woken
 * up. GPUs that the administrator has excluded from the driver are left out with a finding.
 *
 * @see "procfs interface" in the README of NVIDIA's driver
 */
export function discoverGpus(host: HostView): {
  readonly gpus: readonly Gpu[];
  readonly findings: readonly Finding[];
} {
  const findings: Finding[] = [];
  const found: Omit<Gpu, "index">[] = [];
  for (const name of host.readDirectory(hostPath(DIRECTORY)) ?? []) {
    const path = `${DIRECTORY}/${name}/information`;
    const address = parsePciAddress(name);
    const text = address && readText(host, path);
    if (address === undefined || text === undefined) continue;
    const fields = parseInformation(text);
    if (/^yes$/i.test(fields.get("GPU Excluded") ?? fields.get("GPU Blacklisted") ?? "")) {
      findings.push(finding("gpu-excluded", "info", `GPU ${name}`, { path }));
      continue;
    }
    const minor = fields.get("Device Minor") ?? "";
    const uuid = fields.get("GPU UUID") ?? "";
    if (!/^\d{1,3}$/.test(minor)) {
      // Without its number the node cannot be known, and a guess could hand out another GPU.
      const args = { path, field: "Device Minor" };
      findings.push(finding("gpu-information-incomplete", "warning", `GPU ${name}`, args));
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
  return { gpus: found.map((gpu, index) => ({ index, ...gpu })), findings };
}

/** The lines `Name: <white space> value` of a GPU's information file. */
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
