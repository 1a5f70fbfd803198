import { expect, it } from "vitest";
import { LdCacheError } from "../../../src/ldcache/decode-entries.ts";
import { decodeLdCache } from "../../../src/ldcache/decode-ld-cache.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { FLAGS, ldCacheBytes } from "../../support/host/ld-cache-bytes.ts";

const LIBRARIES = [
  { name: "libnvidia-ml.so.1", path: "/lib/x86_64-linux-gnu/libnvidia-ml.so.1" },
  { name: "libcuda.so.1", path: "/lib/x86_64-linux-gnu/libcuda.so.1" },
  { name: "libcuda.so.1", path: "/lib/i386-linux-gnu/libcuda.so.1", flags: FLAGS.i386 },
];

type Change = (bytes: Buffer) => Uint8Array | undefined;

/** Returns the error for `LIBRARIES` after `change`. */
function refusal(change: Change, format: "old" | "compat" | "new" = "new") {
  const bytes = Buffer.from(ldCacheBytes(LIBRARIES, { format }));
  const changed = change(bytes) ?? bytes;
  const error = catchError(() => decodeLdCache(changed, { file: "/etc/ld.so.cache" }));
  expect(error).toBeInstanceOf(LdCacheError);
  return error as LdCacheError;
}

it.each([
  "old",
  "compat",
  "new",
] as const)("decodeLdCache() reads the layout %s in the order of the file", (format) => {
  expect(decodeLdCache(ldCacheBytes(LIBRARIES, { format }))).toEqual([
    { name: LIBRARIES[0]!.name, path: LIBRARIES[0]!.path, architecture: "x86_64" },
    { name: LIBRARIES[1]!.name, path: LIBRARIES[1]!.path, architecture: "x86_64" },
    { name: LIBRARIES[2]!.name, path: LIBRARIES[2]!.path, architecture: "i386" },
  ]);
});

it.each(["old", "compat", "new"] as const)("decodeLdCache() reads an empty %s cache", (format) => {
  expect(decodeLdCache(ldCacheBytes([], { format }))).toEqual([]);
});

it.each([
  "compat",
  "new",
] as const)("decodeLdCache() ignores what newer versions of ldconfig append after the strings (%s)", (format) => {
  const entries = [{ ...LIBRARIES[0]!, hwcaps: 1 }, LIBRARIES[1]!];
  const made = ldCacheBytes(entries, { format, hwcaps: ["v2", "v3"], generator: "ldconfig 2.36" });
  expect(decodeLdCache(made).map(({ path }) => path)).toEqual(entries.map(({ path }) => path));
});

it("decodeLdCache() reads an array that is a view into a larger buffer", () => {
  const bytes = ldCacheBytes(LIBRARIES);
  const larger = new Uint8Array(bytes.length + 20).fill(0xff);
  larger.set(bytes, 7);
  expect(decodeLdCache(larger.subarray(7, 7 + bytes.length))).toHaveLength(3);
});

it("decodeLdCache() returns the wanted names and omits most others", () => {
  const bytes = ldCacheBytes([...LIBRARIES, { name: "libc.so.6", path: "/lib/libc.so.6" }]);
  const entries = decodeLdCache(bytes, { prefixes: ["libcuda.so"] });
  expect(entries.map(({ name }) => name)).toEqual(["libcuda.so.1", "libcuda.so.1"]);
});

it("decodeLdCache() returns every name if a wanted one is too short to filter by", () => {
  expect(decodeLdCache(ldCacheBytes(LIBRARIES), { prefixes: ["libc"] })).toHaveLength(3);
});

it("decodeLdCache() omits entries that are not UTF-8", () => {
  const bytes = Buffer.from(ldCacheBytes(LIBRARIES));
  bytes[bytes.indexOf("/lib/i386")] = 0xff;
  expect(decodeLdCache(bytes)).toHaveLength(2);
});

it("decodeLdCache() has no architecture for machines without a driver and files that are not ELF", () => {
  const entries = [
    { ...LIBRARIES[0]!, flags: FLAGS.s390x },
    { ...LIBRARIES[1]!, flags: 0x0300 },
  ];
  expect(decodeLdCache(ldCacheBytes(entries)).map((entry) => entry.architecture)).toEqual([
    undefined,
    undefined,
  ]);
});

it("decodeLdCache() names the file, field and byte in its error", () => {
  const error = refusal((bytes) => void bytes.writeUInt32LE(0xffffffff, 20));
  expect(error.code).toBe("file-invalid");
  expect(error.message).toContain('"/etc/ld.so.cache"');
  expect([error.field, error.offset]).toEqual(["libs", 48]);
});

it.each<[field: string, offset: number, change: Change]>([
  ["magic", 0, () => Buffer.from("ELF?")],
  ["magic", 0, () => Buffer.alloc(0)],
  ["header", 0, (bytes: Buffer) => bytes.subarray(0, 47)],
  ["flags", 28, (bytes: Buffer) => void bytes.writeUInt8(3, 28)],
  ["flags", 28, (bytes: Buffer) => void bytes.writeUInt8(1, 28)],
  ["len_strings", 48 + 72, (bytes: Buffer) => void bytes.writeUInt32LE(0x7fffffff, 24)],
  ["len_strings", 48 + 72, (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
  ["libs[0].key", 52, (bytes: Buffer) => void bytes.writeUInt32LE(0, 52)],
  ["libs[1].value", 48 + 24 + 8, (bytes: Buffer) => void bytes.writeUInt32LE(0xfffffff0, 80)],
  ["libs[2].value", 0, (bytes: Buffer) => void bytes.writeUInt8(1, bytes.length - 1)],
])("decodeLdCache() refuses a new cache with a wrong %s (byte %i)", (field, offset, change) => {
  const error = refusal(change);
  expect(error.field).toBe(field);
  if (offset > 0) expect(error.offset).toBe(offset);
});

it.each<[field: string, offset: number, change: Change]>([
  ["nlibs", 12, (bytes: Buffer) => bytes.subarray(0, 14)],
  ["libs", 16, (bytes: Buffer) => void bytes.writeUInt32LE(0x20000000, 12)],
  ["libs[0].key", 20, (bytes: Buffer) => void bytes.writeUInt32LE(0x7fffffff, 20)],
])("decodeLdCache() refuses an old cache with a wrong %s", (field, offset, change) => {
  const error = refusal(change, "old");
  expect([error.field, error.offset]).toEqual([field, offset]);
});

it("decodeLdCache() refuses more than 16,384 wanted libraries, and skips any number of others", () => {
  const many = (count: number, name: string) => Array(count).fill({ name, path: `/lib/${name}` });
  const prefixes = ["libcuda.so"];
  const most = ldCacheBytes([...many(20_000, "libother.so.1"), ...many(16_384, "libcuda.so.1")]);
  expect(decodeLdCache(most, { prefixes })).toHaveLength(16_384);
  const error = catchError(() => decodeLdCache(ldCacheBytes(many(16_385, "libcuda.so.1")), { prefixes }));
  expect(error.message).toContain("libs[16384] at byte 393264: there are more than 16384 libraries");
});
