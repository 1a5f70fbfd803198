import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type CommandResult, mustRun, runCommand } from "../../fixtures/run/run-command.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";

const root = join(import.meta.dirname, "../..");
const out = join(root, "dist/test/engine");
const machine = process.arch === "arm64" ? "aarch64" : "x86_64";

const QEMU = "/usr/bin/qemu-aarch64-static";

interface Engine {
  readonly name: string;
  readonly path: string;
  readonly native: boolean;
  readonly arch: string;
  /** What starts it. */
  readonly emulator?: string;
}

const ENGINES: readonly Engine[] = [
  { name: "QuickJS", path: join(out, `native/nvoci-linux-${machine}`), native: true, arch: process.arch },
  { name: "Node.js", path: join(out, "node/nvoci"), native: false, arch: process.arch },
];

const NOTHING = { error: 0, report: [], status: 0 };
const EINVAL = -22;
const exited = (status: number) => ({ ...NOTHING, status: status << 8 });

function build(directory: string, arch: string): void {
  const main = "test/support/kernel/engine-contract-main.ts";
  const words = [
    "build/run-typescript.mjs",
    "build/build.ts",
    "--out",
    directory,
    "--arch",
    arch,
    "--main",
    main,
  ];
  mustRun([process.execPath, ...words], { cwd: root, timeout: 600_000 });
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Returns a thousand short texts of bytes at which decoders differ. */
function almostUtf8(): Uint8Array[] {
  const leads = [
    0x00, 0x41, 0x7f, 0x80, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf3, 0xf4, 0xf5, 0xff,
  ];
  const lead = fc.constantFrom(...leads);
  const follow = fc.constantFrom(0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc2);
  const bytes = fc.array(fc.oneof(lead, follow, fc.integer({ min: 0, max: 255 })), { maxLength: 12 });
  return fc.sample(bytes, 1000).map((sample) => Uint8Array.from(sample));
}

beforeAll(() => build(out, machine), 600_000);

describe.each(ENGINES)("Engine on $name", contract);

describeNeeding(["an arm64 compiler", "qemu"], "Engine on QuickJS for arm64, emulated", () => {
  beforeAll(() => build(`${out}-arm64`, "aarch64"), 600_000);
  const path = join(`${out}-arm64`, "native/nvoci-linux-aarch64");
  contract({ name: "arm64", path, native: true, arch: "arm64", emulator: QEMU });
});

function contract({ path, native, arch, emulator }: Engine): void {
  const command = [...(emulator === undefined ? [] : [emulator]), path];
  const start = (name: string, words: readonly string[] = [], env?: Record<string, string>): CommandResult =>
    runCommand([...command, name, ...words], env ? { env } : {});

  /** Returns the output of a case, which must succeed with nothing on stderr. */
  const ask = (...args: Parameters<typeof start>) => {
    const { status, stdout, stderr } = start(...args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return JSON.parse(stdout);
  };

  it("exists", (context) => {
    if (!existsSync(path) && process.env.CI !== "true")
      context.skip(`needs the sources of QuickJS and musl: set NVOCI_QUICKJS_TARBALL and NVOCI_MUSL_TARBALL`);
    expect(existsSync(path)).toBe(true);
  });

  it("argv and environ are the process's own", () => {
    const { argv, environ, ...rest } = ask("constants", ["a b", "--help", "é"], {
      FIRST: "1",
      SECOND: "ü=2",
    });
    expect(argv).toEqual([path, "constants", "a b", "--help", "é"]);
    // If a shell starts the program, it adds these two.
    expect(environ.filter((entry: string) => !/^(PWD|_)=/.test(entry)).sort()).toEqual([
      "FIRST=1",
      "SECOND=ü=2",
    ]);
    expect(rest).toEqual({ arch, argvAddress: native, environAddress: true });
  });

  it("argv keeps arguments that look like options of Node.js", () => {
    expect(ask("constants", ["--version", "--inspect", "-e", "1"]).argv.slice(2)).toEqual([
      "--version",
      "--inspect",
      "-e",
      "1",
    ]);
  });

  it("syscall() returns the kernel's result, or minus errno", () => {
    expect(ask("syscalls")).toMatchObject({
      pidAgrees: true,
      absent: -2,
      notOpen: -9,
      nullPointer: -14,
      unknownCall: -38,
      empty: -2,
    });
  });

  it("syscall() passes BigInts and integers of more than 32 bits", () => {
    expect(ask("syscalls")).toMatchObject({
      notOpenAsBigInt: -9,
      allBitsAsBigInt: -9,
      offset: 2 ** 40,
      offsetAsBigInt: 2 ** 40 + 1,
    });
  });

  it("syscall() passes a view from the view's first byte", () => {
    expect(ask("syscalls")).toMatchObject({ pidAgrees: true, untouchedBefore: true });
  });

  it("syscall() passes strings as UTF-8, with U+FFFD for a lone surrogate", () => {
    const { ascii, latin1, beyondTheFirstPlane, loneSurrogate } = ask("syscalls");
    const bytes = (text: string) => [...Buffer.from(text)];
    expect({ ascii, latin1, beyondTheFirstPlane, loneSurrogate }).toEqual({
      ascii: bytes("abc"),
      latin1: bytes("é"),
      beyondTheFirstPlane: bytes("😀"),
      loneSurrogate: bytes("a\ufffdb"),
    });
  });

  it("syscall() refuses a string with NUL without making the call", () => {
    expect(ask("syscalls")).toMatchObject({
      withNul: "TypeError",
      withNulAtEnd: "TypeError",
      nothingCalled: ["TypeError", true],
    });
  });

  it("syscall() refuses a value that is not an argument", () => {
    const { refused, withoutNumber, textAsNumber, sevenArguments } = ask("syscalls");
    expect(refused.length).toBeGreaterThan(10);
    expect(refused.filter(([, outcome]: [string, unknown]) => outcome !== "TypeError")).toEqual([]);
    expect([withoutNumber, textAsNumber, sevenArguments]).toEqual(["TypeError", "TypeError", "TypeError"]);
  });

  it("address() returns a stable address that the kernel can read", () => {
    expect(ask("addresses")).toEqual({
      positive: true,
      stable: true,
      ofSubarray: 3,
      readThrough: [2, 3],
      ofEmpty: true,
      ofText: "TypeError",
      ofNothing: "TypeError",
      ofOtherArray: "TypeError",
    });
  });

  it("decode() returns the requested range, and refuses one outside the array", () => {
    expect(ask("decoding")).toEqual({
      part: "b",
      nothing: "",
      nul: "abc\0",
      markOfOrder: "\ufeffa",
      pastTheEnd: "RangeError",
      beforeTheStart: "RangeError",
      backwards: "RangeError",
      fraction: "TypeError",
      ofText: "TypeError",
    });
  });

  it("decode() replaces malformed UTF-8 as the WHATWG decoder does", () => {
    const samples = almostUtf8();
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    expect(ask("decode", samples.map(toHex))).toEqual(samples.map((sample) => decoder.decode(sample)));
  });

  it("TextDecoder refuses malformed UTF-8 as the WHATWG decoder does, and keeps a byte order mark", () => {
    const samples = [...almostUtf8(), Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), new Uint8Array()];
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const expected = samples.map((sample) => {
      try {
        return decoder.decode(sample);
      } catch {
        return null;
      }
    });
    expect(expected.filter((text) => text === null).length).toBeGreaterThan(100);
    expect(expected.filter((text) => text !== null).length).toBeGreaterThan(100);
    expect(ask("decodeStrictly", samples.map(toHex))).toEqual(expected);
  });

  it("spawn() runs every step and exits with 0", () => {
    expect(ask("spawning")).toMatchObject({ nothingToDo: NOTHING, allDone: NOTHING, ownPid: NOTHING });
  });

  it("spawn() reports the step that failed and its errno", () => {
    const failure = { error: 0, report: [1, 9], status: 127 << 8 };
    expect(ask("spawning")).toMatchObject({ failed: failure, failedUnaligned: failure });
  });

  it("spawn() continues after a step's permitted errno, and after no other", () => {
    expect(ask("spawning")).toMatchObject({
      ignored: exited(3),
      anyIgnored: exited(3),
      otherIgnored: { error: 0, report: [0, 9], status: 127 << 8 },
    });
  });

  it("spawn() becomes the program of an execve step, with the environment unchanged", () => {
    expect(ask("spawning", [], { CONTRACT: "kept" })).toMatchObject({
      program: exited(7),
      environment: NOTHING,
    });
  });

  it("spawn() refuses shared memory, a signal other than SIGCHLD and an incomplete step", () => {
    expect(ask("spawning")).toMatchObject({
      memoryShared: { error: EINVAL },
      otherSignal: { error: EINVAL },
      halfAStep: "TypeError",
      textForSteps: "TypeError",
    });
  });

  it("leaves SIGPIPE and the open file limit unchanged", () => {
    const soft = Number(
      mustRun(["sh", "-c", "ulimit -n 300; exec prlimit --nofile --noheadings --output SOFT"]),
    );
    const { stdout } = runCommand(["sh", "-c", 'ulimit -S -n 300; exec "$@" signals', "sh", ...command]);
    expect(soft).toBe(300);
    expect(JSON.parse(stdout)).toEqual({ pipeIsDefault: true, openFiles: 300 });
  });

  it("survives endless nesting and recursion", () => {
    expect(ask("nesting")).toMatch(/Error$/);
    expect(ask("recursion")).toBe("string");
  });

  it("refuses a part that the build does not have", () => {
    expect(ask("require")).toBe(true);
  });

  it.each([
    ["throw", /^nvoci: bug: RangeError: of the contract\n {4}at \S*throw/],
    ["throwText", /^nvoci: bug: words\n$/],
  ])("reports an uncaught value (%s) and exits with 70", (name, told) => {
    const { status, stdout, stderr } = start(name);
    expect({ status, stdout }).toEqual({ status: 70, stdout: "" });
    expect(stderr).toMatch(told);
  });
}
