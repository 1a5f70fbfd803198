import { attempt, NvociError } from "../../model/errors.ts";
import { basename, type HostPath, hostPath, PROGRAM_DIRECTORIES } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import { encodeUtf8 } from "../../text/utf8.ts";

/** Finds a program by its name where daemons look, or by its absolute path. A dangling link does not count. */
export function findProgram(
  host: HostView,
  name: string,
  directories: readonly string[] = PROGRAM_DIRECTORIES,
): HostPath | undefined {
  const candidates = name.startsWith("/") ? [name] : directories.map((directory) => `${directory}/${name}`);
  return candidates.map(hostPath).find((path) => host.realPath(path) !== undefined);
}

/** The hook prints it as its version, so every build contains it, under any file name. */
const MARK = encodeUtf8("(nvoci)");
const CHUNK_BYTES = 1 << 20;
/** The native program has 2 MB. */
const MAX_BYTES = 4 << 20;

/**
 * Reports whether a program is nvoci: by the name of its file behind all links, or by its content. A program that cannot
 * be read is not judged.
 */
export function isNvoci(host: HostView, program: HostPath): boolean {
  const real = host.realPath(program);
  if (real === undefined) return false;
  if (basename(real).startsWith("nvoci")) return true;
  for (let offset = 0; offset < MAX_BYTES; offset += CHUNK_BYTES) {
    // Chunks overlap, so that none cuts the mark.
    const bytes = attempt(() => host.readRange(real, offset, CHUNK_BYTES + MARK.length));
    if (bytes instanceof NvociError) return true;
    if (bytes === undefined || bytes.length === 0) return false;
    if (contains(bytes, MARK)) return true;
  }
  return false;
}

function contains(bytes: Uint8Array, part: Uint8Array): boolean {
  const [first = 0] = part;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (part.every((byte, index) => bytes[at + index] === byte)) return true;
  }
  return false;
}
