import { type Finding, finding } from "../../model/finding.ts";
import { basename } from "../../model/paths.ts";
import type { OperationOf } from "../../plan/operation.ts";
import type { Syscalls } from "../../sys/syscalls.ts";
import { decodeUtf8, encodeUtf8 } from "../../text/utf8.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { Undo } from "../undo.ts";
import { openEtc, readOnly, replaceInEtc } from "./replace-in-etc.ts";

/** What musl's dynamic linker searches if the file does not exist. */
const DEFAULT_PATH = "/lib:/usr/local/lib:/usr/lib\n";

/** The image decides how long its file is. Real ones have a few lines. */
const MAX_BYTES = 64 * 1024;

/**
 * Names the injected directories in the file that musl's dynamic linker reads, before those that it searches already:
 * the image's list, or the default one, which a file replaces. A file that names them all stays untouched.
 *
 * @returns a finding when the file cannot be read or replaced; it stays as it is then.
 * @throws {InTheWay} when the file is a mount.
 * @see ldso/dynlink.c of musl: colons or line breaks separate directories
 */
export function updateMuslPath(
  { path, folders, source }: OperationOf<"update-musl-path">,
  context: { readonly system: Syscalls; readonly rootfs: Rootfs; readonly undo: Undo },
): readonly Finding[] {
  const file = { name: basename(path), draft: ".nvoci-musl-path" };
  const opened = openEtc(context, file, source);
  if ("found" in opened) return [opened.found];
  const bytes = context.rootfs.view.readFile(path, MAX_BYTES + 1);
  const listed =
    bytes === undefined ? DEFAULT_PATH : bytes.length > MAX_BYTES ? undefined : decodeUtf8(bytes);
  if (listed === undefined) return [finding("musl-path-unusable", "warning", source, { path })];
  const known = new Set(listed.split(/[:\n]/));
  const missing = folders.filter((folder) => !known.has(folder));
  if (missing.length === 0) return [];
  const content = encodeUtf8(`${missing.join("\n")}\n${listed}`);
  return replaceInEtc(context, opened.etc, file, content) ? [] : [readOnly(source)];
}
