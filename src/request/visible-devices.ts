import { hasControlCharacter } from "../model/control-character.ts";
import { NvociError } from "../model/errors.ts";
import { quote } from "../model/quote.ts";
import type { VisibleDevices } from "./request.ts";

/** Whether a list of devices asks for anything: not when it is empty or has `void` in it, wherever that stands. */
export const asksForDevices = (words: readonly string[]): boolean =>
  words.length > 0 && !words.includes("void");

/**
 * Reads a list of devices. The first of `all` (in any case) and `none` decides; `void` anywhere and an empty list
 * ask for nothing.
 *
 * Names of the Container Device Interface of the given kind lose the kind: `nvidia.com/gpu=0` is `0`.
 *
 * @param words trimmed and not empty.
 * @param source the variables, or `volume-mounts`, for the error.
 * @param cdiKind `nvidia.com/gpu`
 * @returns nothing where the list asks for nothing.
 * @throws NvociError `request-invalid` for a name with control characters.
 */
export function readVisibleDevices(
  words: readonly string[],
  source: string,
  cdiKind: string,
): VisibleDevices | undefined {
  if (!asksForDevices(words)) return undefined;
  const ids = new Set<string>();
  for (const word of words) {
    const id = word.startsWith(`${cdiKind}=`) ? word.slice(cdiKind.length + 1) : word;
    if (id.toLowerCase() === "all") return { kind: "all" };
    if (id === "none") return { kind: "none" };
    if (id === "" || hasControlCharacter(id)) {
      throw new NvociError(
        "request-invalid",
        `Cannot use device ${quote(word)} of ${source}: this is no name of a device`,
      );
    }
    ids.add(id);
  }
  return { kind: "list", ids: [...ids] };
}
