import { readText } from "../discover/server/driver-version.ts";
import type { HostView } from "../model/host-view.ts";
import { hostPath } from "../model/paths.ts";

const DIRECTORY = "/sys/bus/pci/devices";
const VENDOR_NVIDIA = "0x10de";
/** The base class of everything that can drive a display, or could if it had a socket for one. */
const CLASS_DISPLAY = "0x03";

/** How many GPUs of NVIDIA are on the PCI bus, whether the driver has them or not. */
export function countGpus(host: HostView): number {
  const is = (file: string, beginning: string): boolean =>
    (readText(host, `${DIRECTORY}/${file}`) ?? "").startsWith(beginning);
  return (host.readDirectory(hostPath(DIRECTORY)) ?? []).filter(
    (name) => is(`${name}/vendor`, VENDOR_NVIDIA) && is(`${name}/class`, CLASS_DISPLAY),
  ).length;
}
