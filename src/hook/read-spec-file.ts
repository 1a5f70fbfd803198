import { NvociError } from "../model/errors.ts";
import type { HostPath } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import { namesGpus } from "../request/visible-devices.ts";
import { quote } from "../text/quote.ts";
import { decodeLatin1 } from "../text/utf8.ts";

/** Bytes of a config.json that is parsed unseen; engines write 10 to 20 KiB. */
const MAX_UNSEEN_BYTES = 256 * 1024;

/**
 * Bytes, and commas and opening brackets, of a config.json that is parsed at all. They keep the parsed values below 64 MB:
 * the smallest one takes two characters and a hundred bytes of memory.
 */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_VALUES = 200_000;

const CHUNK_BYTES = 64 * 1024;
/** More than the longest name that is looked for. */
const OVERLAP_BYTES = 64;

/** A letter, a hyphen or an underscore as a JSON escape. Nobody writes them so but to hide them. */
const HIDDEN_LETTER = /\\u00(?:2[dD]|[4-7])/;

/**
 * Reads a bundle's config.json, if there is anything in it for nvoci. A runtime takes one of any size, so a large one is
 * looked through for the names by which containers ask, and left to the runtime where it has none of them.
 *
 * @returns `undefined` where there is no such file, and `asks-nothing` for a large one that cannot be asking.
 * @throws NvociError "file-invalid" for what is no file, and "spec-invalid" for a large one that may be asking.
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
  // One byte more tells whether there is more.
  const bytes = host.readRange(file, 0, MAX_FILE_BYTES + 1);
  if (bytes !== undefined && (bytes.length > MAX_FILE_BYTES || hasManyValues(bytes))) {
    throw new NvociError(
      "spec-invalid",
      `Cannot read ${quote(file, 4096)}: of a container that may ask for GPUs it can have ${MAX_FILE_BYTES} bytes and ${MAX_VALUES} values at most`,
    );
  }
  return bytes;
}

/** Takes a small part of the file into memory at once. Its encoding does not matter: the names are ASCII. */
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

/** Those inside of strings count too: nothing is known of the text yet. */
function hasManyValues(bytes: Uint8Array): boolean {
  let count = 0;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === COMMA || byte === BRACKET || byte === BRACE) count++;
  }
  return count > MAX_VALUES;
}
