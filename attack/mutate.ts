import type { Random } from "./random.ts";

/** Numbers at the limits of integer types. */
const NUMBERS = [
  0,
  -1,
  1,
  127,
  128,
  255,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 53,
  -(2 ** 63),
] as const;

const WORDS = [
  "",
  "\0",
  "\n",
  "\r\n",
  ",",
  "=",
  '"',
  "'",
  "\\",
  "/",
  "//",
  "..",
  "*",
  "[",
  "]",
  "{",
  "}",
  "#",
  ";",
  "é",
  "\ud800",
  "\u2028",
  "\u001b[2J",
  "-",
  "--",
  "%s%n",
  "$(id)",
  "all",
  "none",
  "void",
  "true",
  "null",
  "1e999",
  "0x10",
  "18446744073709551616",
  "A".repeat(5000),
];

/** Changes a text at a few places: removes, repeats, swaps, cuts or replaces pieces. */
export function mutateText(text: string, random: Random, words: readonly string[] = []): string {
  const pieces = text.split(/(?<=[\s,=:"'[\]{}/.])|(?=[\s,=:"'[\]{}/.])/);
  for (let count = random.amount(8); count > 0; count--) {
    const at = random.below(pieces.length || 1);
    const word = random.pick([...WORDS, ...words]);
    const changes: (() => void)[] = [
      () => pieces.splice(at, random.amount(5)),
      () => pieces.splice(at, 0, word),
      () => pieces.splice(at, 1, word),
      () => pieces.splice(at, 0, ...pieces.slice(at, at + random.amount(20))),
      () => pieces.splice(at, 1, pieces[random.below(pieces.length || 1)] ?? ""),
      () => pieces.splice(at, 1, (pieces[at] ?? "").toUpperCase()),
      () => pieces.splice(at, pieces.length, random.chance(0.1) ? "" : pieces.slice(at).join("")),
      () => pieces.splice(at, 1, (pieces[at] ?? "").repeat(random.amount(2000))),
    ];
    random.pick(changes)();
  }
  return pieces.join("");
}

/** Changes bytes at a few places: single bytes, aligned numbers of 2, 4 and 8 bytes, and the length. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let result = Buffer.from(bytes);
  for (let count = random.amount(12); count > 0 && result.length > 8; count--) {
    // Prefer the headers, which come first.
    const limit = random.chance(0.6) ? Math.min(result.length - 8, 256) : result.length - 8;
    const at = random.below(Math.max(limit, 1)) & ~random.pick([0, 1, 3, 7]);
    const number = BigInt.asUintN(
      64,
      BigInt(random.pick([...NUMBERS, result.length, result.length - 1, at])),
    );
    const changes: (() => void)[] = [
      () => void result.writeUInt8(random.below(256), at),
      () => void result.writeUInt8(result.readUInt8(at) ^ (1 << random.below(8)), at),
      () => void result.writeUInt16LE(Number(number & 0xffffn), at),
      () => void result.writeUInt32LE(Number(number & 0xffffffffn), at),
      () => void result.writeBigUInt64LE(number, at),
      () => void result.copyWithin(at, random.below(result.length), result.length),
      () => {
        if (random.chance(0.2)) result = result.subarray(0, random.below(result.length));
      },
    ];
    random.pick(changes)();
  }
  return result;
}
