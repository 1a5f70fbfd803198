/** Where a device is on the PCI bus. */
export interface PciAddress {
  readonly domain: number;
  readonly bus: number;
  readonly device: number;
  readonly function: number;
}

const ADDRESS = /^(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])$/i;

/**
 * Parses `domain:bus:device.function` in hexadecimal. Leading zeros are optional, and so is the domain 0; nvidia-smi
 * writes eight digits for it, procfs four.
 */
export function parsePciAddress(text: string): PciAddress | undefined {
  const match = ADDRESS.exec(text);
  if (match === null) return undefined;
  const [domain, bus, device, unit] = match.slice(1).map((digits) => Number.parseInt(digits ?? "0", 16));
  return { domain: domain ?? 0, bus: bus ?? 0, device: device ?? 0, function: unit ?? 0 };
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

/** As procfs and sysfs write it: `0000:01:00.0`. */
export const formatPciAddress = (address: PciAddress): string =>
  `${hex(address.domain, 4)}:${hex(address.bus, 2)}:${hex(address.device, 2)}.${address.function}`;

/** Whether both name the same place. */
export const isSamePlace = (a: PciAddress, b: PciAddress): boolean =>
  a.domain === b.domain && a.bus === b.bus && a.device === b.device && a.function === b.function;
