import { type Finding, finding, type Source } from "../model/finding.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import { decodeUtf8, utf8Length } from "../text/utf8.ts";

/** The type of a manifest entry: a device node, a directory, any regular file, or a symbolic link. */
export type MountType = "dev" | "dir" | "lib" | "sym";

/** All types, as manifests spell them. */
const MOUNT_TYPES: readonly MountType[] = ["dev", "dir", "lib", "sym"];

/** One entry of a manifest, whether or not the host has the file. */
export interface MountSpec {
  readonly type: MountType;
  /** Absolute and normalized; may contain the wildcards `*`, `?` and `[…]`. */
  readonly path: HostPath;
  /** File and line, counted from 1: `l4t.csv:41`. */
  readonly source: Source;
}

/** The parsed text of a manifest. */
export interface Manifest {
  /** In the order of the lines. */
  readonly specs: readonly MountSpec[];
  /** One for each line that is not an entry, a comment or blank; or one about an empty manifest. */
  readonly findings: readonly Finding[];
}

/** Bytes of the longest path that the kernel accepts: PATH_MAX without the NUL. */
const MAX_PATH_BYTES = 4095;

/**
 * Lines of all manifests together. A board's have a few hundred, a server's with every file of CUDA some thousands.
 * Each entry takes about a kilobyte of memory and a few system calls.
 */
export const MAX_LINES = 65_536;

const LINE_FEED = 0x0a;

/**
 * Parses a CSV mount manifest: lines of the form `TYPE, PATH`, `#` comments and blank lines.
 *
 * Ignores white space around both fields, a byte order mark, carriage returns and a missing final line feed. The
 * first comma separates the fields; the path may contain spaces and commas. There is no quoting. A device's relative
 * path is in /dev. Does not read the host, and never throws.
 *
 * @param bytes the whole file.
 * @param fileName name of the file in sources: `l4t.csv`.
 * @param limit number of lines to read; a finding reports that there are more.
 */
export function parseManifest(bytes: Uint8Array, fileName: string, limit = MAX_LINES): Manifest {
  const specs: MountSpec[] = [];
  const findings: Finding[] = [];
  const lines = decodeLines(bytes, limit + 1);
  lines.slice(0, limit).forEach((text, index) => {
    const valid = typeof text === "string";
    const line = (valid ? text : text.shown).trim();
    if (line === "" || line.startsWith("#")) return;
    const result = parseLine(line, valid, `${fileName}:${index + 1}`);
    if ("path" in result) specs.push(result);
    else findings.push(result);
  });
  if (lines.length > limit) {
    findings.push(finding("manifest-too-long", "warning", `${fileName}:${limit + 1}`, { limit: MAX_LINES }));
  } else if (specs.length === 0 && findings.length === 0) {
    findings.push(finding("manifest-empty", "warning", fileName, { file: fileName }));
  }
  return { specs, findings };
}

/** A line, or the printable form of one that is not UTF-8. */
type Line = string | { readonly shown: string };

/** Returns the first lines, at most `limit`. The empty text after a final line feed is none. */
function decodeLines(bytes: Uint8Array, limit: number): readonly Line[] {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text.replace(/\n$/, "").split("\n", limit);
  const lines: Line[] = [];
  for (let start = 0; start < bytes.length && lines.length < limit; ) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed < 0 ? bytes.length : feed;
    const line = decodeUtf8(bytes, start, end);
    lines.push(line ?? { shown: showBytes(bytes.subarray(start, end)) });
    start = end + 1;
  }
  return lines;
}

function parseLine(line: string, valid: boolean, source: Source): MountSpec | Finding {
  if (!valid) {
    return finding("manifest-path-invalid", "warning", source, { path: line, reason: "not-utf8" });
  }
  const comma = line.indexOf(",");
  if (comma < 0) return finding("manifest-line-malformed", "warning", source, { line });
  const type = line.slice(0, comma).trimEnd();
  const path = line.slice(comma + 1).trimStart();
  if (!isMountType(type)) return finding("manifest-type-unknown", "warning", source, { type });
  if (path === "") return finding("manifest-path-empty", "warning", source, { type });
  if (path.includes("\0")) {
    return finding("manifest-path-invalid", "warning", source, { path, reason: "nul" });
  }
  const full = toAbsolute(type, path);
  if (full === undefined) return finding("manifest-path-relative", "warning", source, { path });
  // A character needs at most three bytes (a surrogate pair four), so most paths need no counting.
  if (full.length * 3 > MAX_PATH_BYTES && utf8Length(full) > MAX_PATH_BYTES) {
    return finding("manifest-path-invalid", "warning", source, { path, reason: "too-long" });
  }
  if (full === "/") return finding("manifest-path-root", "warning", source, { type });
  return { type, path: full, source };
}

const isMountType = (word: string): word is MountType => (MOUNT_TYPES as readonly string[]).includes(word);

/** Returns an absolute, normalized path; `undefined` for a relative path other than a device's. */
function toAbsolute(type: MountType, path: string): HostPath | undefined {
  if (path.startsWith("/")) return hostPath(path);
  if (type !== "dev") return undefined;
  return hostPath(path.startsWith("dev/") ? path : `/dev/${path}`);
}

/** Formats bytes above ASCII as `\xHH`, so that messages show the invalid ones. */
function showBytes(bytes: Uint8Array): string {
  let shown = "";
  for (const byte of bytes) shown += byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`;
  return shown;
}
