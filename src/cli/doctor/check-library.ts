import { readElf } from "../../elf/read-elf.ts";
import { type Check, type Command, check } from "../../model/check.ts";
import { attempt, NvociError } from "../../model/errors.ts";
import type { Machine } from "../../model/machine.ts";
import type { HostPath } from "../../model/paths.ts";
import { type HostView, statThrough } from "../../model/views.ts";

const NOTHING = new Uint8Array(0);

/** Why a file cannot be loaded as a library. */
export type LibraryFault = "empty" | { readonly damage: string };

/** Returns why a file of the host cannot be loaded as a library of this machine; `undefined` if it can. */
export function libraryFault(host: HostView, path: HostPath, machine: Machine): LibraryFault | undefined {
  const size = attempt(() => statThrough(host, path)?.size);
  if (size === 0) return "empty";
  const elf = attempt(() =>
    readElf(path, (offset, length) => host.readRange(path, offset, length) ?? NOTHING),
  );
  // A file that this process may not read is not damaged.
  if (elf instanceof NvociError) return elf.code === "file-invalid" ? { damage: reasonOf(elf) } : undefined;
  if (elf.machine === machine.elf) return undefined;
  return { damage: `it is for another machine (ELF type ${elf.machine} instead of ${machine.elf})` };
}

const reasonOf = ({ message }: NvociError): string => message.replace(/^.*: /, "");

/** Checks the file of a library that no container can do without. */
export function checkLibrary(
  host: HostView,
  path: HostPath,
  machine: Machine,
  install: Command | undefined,
): readonly Check[] {
  const fault = libraryFault(host, path, machine);
  if (fault === undefined) return [];
  return fault === "empty"
    ? [check("fail", "library-empty", { path, install })]
    : [check("fail", "library-damaged", { path, reason: fault.damage, install })];
}
