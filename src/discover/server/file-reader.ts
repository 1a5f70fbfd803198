import type { HostView } from "../../model/host-view.ts";
import type { HostPath } from "../../model/paths.ts";
import type { ReadAt } from "../elf/read-elf.ts";

const NOTHING = new Uint8Array(0);

/** Reads parts of one file; a missing file is empty. */
export const fileReader =
  (host: HostView, path: HostPath): ReadAt =>
  (offset, length) =>
    host.readRange(path, offset, length) ?? NOTHING;
