import { ignorable } from "../../model/errors.ts";
import type { HostView } from "../../model/host-view.ts";
import type { HostPath } from "../../model/paths.ts";
import { readDynamic } from "./elf-dynamic.ts";
import { readElf } from "./read-elf.ts";

const NOTHING = new Uint8Array(0);

/** What cannot be the name of a file in a directory. */
const NO_NAME = ["", ".", ".."];

/**
 * The name that a library has for the dynamic linker. `undefined` for what has none, or none that can be a file's
 * name, and for what is no library: a file's name is a service to the image, and no reason to fail.
 *
 * @see elf(5), `DT_SONAME`
 */
export function readSoname(host: HostView, path: HostPath): string | undefined {
  try {
    const elf = readElf(path, (offset, length) => host.readRange(path, offset, length) ?? NOTHING);
    const { soname } = readDynamic(elf);
    return soname === undefined || NO_NAME.includes(soname) || soname.includes("/") ? undefined : soname;
  } catch (error) {
    ignorable(error);
    return undefined;
  }
}
