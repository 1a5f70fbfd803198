import { BuildError, run, runBytes } from "./run.ts";

/** Where the linker puts the heap; see src/sys/native/heap.h. */
export const HEAP_ADDRESS = 0x10000000;

/** Two load addresses of the program that makes the heap. Words that differ by their distance point to the program. */
const BASES = [0x400000, 0x800000] as const;
const DISTANCE = BigInt(BASES[1] - BASES[0]);

/** A function or an object of the program. */
interface ProgramSymbol {
  readonly address: number;
  readonly size: number;
  readonly name: string;
  /** Whether other C files can name it. */
  readonly global: boolean;
}

/** The heap as C, and the static names of quickjs.c that it needs. */
export interface Heap {
  readonly source: string;
  readonly symbols: readonly string[];
}

/**
 * Makes the heap: runs a program that loads the parts and prints its memory, at two load addresses.
 *
 * @param link makes that program for a load address, and returns its path.
 * @param parts file names of the parts.
 * @throws BuildError when a word differs between the runs for another reason, or points to something without a name.
 */
export function makeHeap(link: (base: number) => string, parts: readonly string[]): Heap {
  const [program = "", other = ""] = BASES.map(link);
  const [words, others] = [program, other].map((path) => wordsOf(runBytes(path, parts)));
  if (words === undefined || others === undefined || words.length !== others.length)
    throw new BuildError("Cannot make the heap: two runs made heaps of different sizes");
  const symbols = symbolsOf(program);
  const used = new Map<string, ProgramSymbol>();
  const text = words.map((word, index) => {
    const difference = (others[index] ?? 0n) - word;
    if (difference === 0n) return word < 10n ? `${word}` : `0x${word.toString(16)}`;
    if (difference !== DISTANCE)
      throw new BuildError(`Cannot make the heap: its word ${index} differs between two runs`);
    const symbol = symbolAt(symbols, Number(word));
    used.set(symbol.name, symbol);
    const offset = Number(word) - symbol.address;
    return `${symbol.global ? "G" : "S"}(${symbol.name})${offset > 0 ? `+${offset}` : ""}`;
  });
  const named = [...used.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const names = (global: boolean) =>
    named.filter((symbol) => symbol.global === global).map(({ name }) => name);
  return { source: heapSource(text, names(false), names(true)), symbols: names(false) };
}

const WORD_BYTES = 8;

const wordsOf = (bytes: Buffer): bigint[] =>
  Array.from({ length: Math.floor(bytes.length / WORD_BYTES) }, (_, index) =>
    bytes.readBigUInt64LE(index * WORD_BYTES),
  );

/** Lists a program's functions and objects. */
const symbolsOf = (program: string): ProgramSymbol[] =>
  run("nm", ["--print-size", "--defined-only", program])
    .split("\n")
    .map((line) => line.split(" "))
    .filter((fields) => fields.length === 4)
    .map(([address = "", size = "", type = "", name = ""]) => ({
      address: Number.parseInt(address, 16),
      size: Number.parseInt(size, 16),
      name,
      global: type === type.toUpperCase(),
    }));

function symbolAt(symbols: readonly ProgramSymbol[], address: number): ProgramSymbol {
  const there = symbols.filter(
    (symbol) => symbol.address <= address && address < symbol.address + symbol.size,
  );
  // Objects inside functions have names such as `names.1`, which C cannot use.
  const named = there.find(({ name }) => /^\w+$/.test(name));
  if (named !== undefined) return named;
  const what = there[0]?.name ?? `0x${address.toString(16)}`;
  throw new BuildError(`Cannot make the heap: it points to ${what}, which has no name in C`);
}

const WORDS_IN_LINE = 16;

function heapSource(
  words: readonly string[],
  statics: readonly string[],
  globals: readonly string[],
): string {
  const lines = Array.from({ length: Math.ceil(words.length / WORDS_IN_LINE) }, (_, index) =>
    words.slice(index * WORDS_IN_LINE, (index + 1) * WORDS_IN_LINE).join(","),
  );
  return [
    '#include "heap.h"',
    "#ifdef NVOCI_HEAP",
    "#define G(name) (uintptr_t)name",
    "#define S(name) (uintptr_t)nvoci_at_##name",
    ...statics.map((name) => `extern const char nvoci_at_${name}[];`),
    ...globals.map((name) => `extern const char ${name}[];`),
    'uintptr_t nvoci_heap[] __attribute__((section(".nvoci_heap"), aligned(4096))) = {',
    lines.join(",\n"),
    "};",
    "const size_t nvoci_heap_size = sizeof(nvoci_heap);",
    "#endif",
    "",
  ].join("\n");
}
