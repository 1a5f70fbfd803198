import type { HostPath } from "../model/paths.ts";
import type { HostView } from "../model/views.ts";
import { decodeUtf8 } from "../text/utf8.ts";

const MAGIC = 0x464c457f;
const LITTLE_ENDIAN = 1;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NULL = 0;
const DT_STRTAB = 5;
const DT_SONAME = 14;

/** Contains the header and a dozen segments; a library has about ten. */
const HEAD_BYTES = 1024;
const MAX_DYNAMIC_BYTES = 1 << 16;
const MAX_NAME_BYTES = 256;

/** Offsets of the fields in use. The two classes differ in nothing else. */
const LAYOUTS = {
  1: { word: 4, phoff: 28, phnum: 44, segment: 32, offset: 4, address: 8, bytes: 16 },
  2: { word: 8, phoff: 32, phnum: 56, segment: 56, offset: 8, address: 16, bytes: 32 },
} as const;

/** SONAMEs that cannot be the name of a file. */
const NO_NAME = ["", ".", ".."];

/**
 * Reads a library's SONAME. Returns `undefined` when there is no usable SONAME or the file is not ELF: a missing
 * link is not worth failing for.
 *
 * Runs for every library of a container, so it reads only three short ranges of the file.
 *
 * @see elf(5), `DT_SONAME`
 */
export function readSoname(host: HostView, path: HostPath): string | undefined {
  const head = host.readRange(path, 0, HEAD_BYTES);
  const layout = head && layoutOf(head);
  if (head === undefined || layout === undefined) return undefined;
  const { loaded, dynamic } = readSegments(viewOf(head), layout);
  if (dynamic === undefined || dynamic.bytes > MAX_DYNAMIC_BYTES) return undefined;

  const entries = readPart(host, path, head, dynamic.offset, dynamic.bytes);
  const { soname, strings } = findTags(entries, layout.word);
  if (soname === undefined || strings === undefined) return undefined;
  const segment = loaded.find(({ address, bytes }) => strings >= address && strings < address + bytes);
  if (segment === undefined) return undefined;
  const name = readPart(
    host,
    path,
    head,
    strings - segment.address + segment.offset + soname,
    MAX_NAME_BYTES,
  );
  const end = name.indexOf(0);
  const text = end < 0 ? undefined : decodeUtf8(name, 0, end);
  return text === undefined || NO_NAME.includes(text) || text.includes("/") ? undefined : text;
}

type Layout = (typeof LAYOUTS)[keyof typeof LAYOUTS];

/** Returns the layout of a file's class; `undefined` for a file that is not a little-endian ELF file. */
function layoutOf(head: Uint8Array): Layout | undefined {
  if (head.length < 64) return undefined;
  const view = viewOf(head);
  const fileClass = view.getUint8(4);
  if (view.getUint32(0, true) !== MAGIC || (fileClass !== 1 && fileClass !== 2)) return undefined;
  return view.getUint8(5) === LITTLE_ENDIAN ? LAYOUTS[fileClass] : undefined;
}

/** A part of a file, and its address in memory. */
interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
}

/** Reads the loaded segments, and the last segment with a dynamic section. */
function readSegments(view: DataView, layout: Layout): { loaded: readonly Segment[]; dynamic?: Segment } {
  const loaded: Segment[] = [];
  let dynamic: Segment | undefined;
  let at = word(view, layout.phoff, layout.word);
  for (let left = view.getUint16(layout.phnum, true); left > 0; left--, at += layout.segment) {
    if (at + layout.segment > view.byteLength) break;
    const type = view.getUint32(at, true);
    if (type !== PT_LOAD && type !== PT_DYNAMIC) continue;
    const offset = word(view, at + layout.offset, layout.word);
    const address = word(view, at + layout.address, layout.word);
    const bytes = word(view, at + layout.bytes, layout.word);
    if (type === PT_LOAD) loaded.push({ offset, address, bytes });
    else dynamic = { offset, address, bytes };
  }
  return dynamic === undefined ? { loaded } : { loaded, dynamic };
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Reads a number of the size of an address of the file's class. Reads at offsets beyond any file return nothing.
 */
const word = (view: DataView, at: number, width: 4 | 8): number =>
  view.getUint32(at, true) + (width === 8 ? view.getUint32(at + 4, true) * 2 ** 32 : 0);

/**
 * Reads part of a file whose head is already read. The result is shorter at the end of the file, empty beyond it.
 */
function readPart(
  host: HostView,
  path: HostPath,
  head: Uint8Array,
  offset: number,
  length: number,
): Uint8Array {
  if (offset + length <= head.length) return head.subarray(offset, offset + length);
  if (offset > Number.MAX_SAFE_INTEGER - length) return new Uint8Array(0);
  return host.readRange(path, offset, length) ?? new Uint8Array(0);
}

/** Finds the values of the two tags in a dynamic section. */
function findTags(entries: Uint8Array, width: 4 | 8): { soname?: number; strings?: number } {
  const view = viewOf(entries);
  const found: { soname?: number; strings?: number } = {};
  for (let at = 0; at + 2 * width <= entries.length; at += 2 * width) {
    // The wanted tags are small, so the lower half is enough.
    const tag = view.getUint32(at, true);
    if (tag === DT_NULL) break;
    if (tag === DT_STRTAB) found.strings = word(view, at + width, width);
    else if (tag === DT_SONAME) found.soname = word(view, at + width, width);
  }
  return found;
}
