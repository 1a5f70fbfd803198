import { NvociError } from "../model/errors.ts";
import type { HostPath } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import { namesGpus } from "../request/visible-devices.ts";
import { quote } from "../text/quote.ts";
import { decodeLatin1 } from "../text/utf8.ts";

/** Largest config.json that is parsed without a search for GPU requests. Container engines write 10 to 20 KiB. */
const MAX_UNSEEN_BYTES = 256 * 1024;

/**
 * Limits on a config.json that is parsed: bytes, and commas plus opening brackets. They keep the parsed values below
 * 64 MB: the smallest value has two characters and takes a hundred bytes of memory.
 */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_VALUES = 200_000;

const CHUNK_BYTES = 64 * 1024;
/** Greater than the length of the longest name in the search. */
const OVERLAP_BYTES = 64;

/** A letter, a hyphen or an underscore as a JSON escape, which has no use except to hide a name. */
const HIDDEN_LETTER = /\\u00(?:2[dD]|[4-7])/;

/**
 * Reads a bundle's config.json. Runtimes accept any size, so a large file is searched for the names by which containers
 * request GPUs, and is left to the runtime when it contains none of them.
 *
 * @returns `undefined` when the file does not exist, and `asks-nothing` when it is large and cannot request GPUs.
 * @throws {NvociError} "file-invalid" when it is not a regular file.
 * @throws {NvociError} "spec-invalid" when it may request GPUs and exceeds the limits.
 */
export function readSpecFile(host: HostView, file: HostPath): Uint8Array | "asks-nothing" | undefined {
  try {
    return host.readFile(file, MAX_UNSEEN_BYTES);
  } catch (error) {
    const isLarge =
      error instanceof NvociError &&
      error.code === "file-invalid" &&
      host.lstat(host.realPath(file) ?? file)?.type === "file";
    if (!isLarge) throw error;
  }
  if (!mayNameGpus(host, file)) return "asks-nothing";
  // One more byte shows whether the file exceeds the limit.
  const bytes = host.readRange(file, 0, MAX_FILE_BYTES + 1);
  if (bytes !== undefined && (bytes.length > MAX_FILE_BYTES || hasManyValues(bytes))) {
    throw new NvociError(
      "spec-invalid",
      `Cannot read ${quote(file, 4096)}: a container that may request GPUs is limited to ${MAX_FILE_BYTES} bytes and ${MAX_VALUES} values`,
    );
  }
  return bytes;
}

/** Searches the file in small chunks. Its encoding does not matter, because the names are ASCII. */
function mayNameGpus(host: HostView, file: HostPath): boolean {
  for (let offset = 0; ; offset += CHUNK_BYTES) {
    const bytes = host.readRange(file, offset, CHUNK_BYTES + OVERLAP_BYTES);
    if (bytes === undefined || bytes.length === 0) return false;
    const text = decodeLatin1(bytes, 0, bytes.length);
    if (namesGpus(text) || (text.includes("\\u00") && HIDDEN_LETTER.test(text))) return true;
  }
}

const COMMA = 0x2c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/** Counts commas and brackets, including those in strings, because the text is not parsed yet. */
function hasManyValues(bytes: Uint8Array): boolean {
  if (bytes.length <= MAX_VALUES) return false;
  let count = 0;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === COMMA || byte === BRACKET || byte === BRACE) count++;
  }
  return count > MAX_VALUES;
}
