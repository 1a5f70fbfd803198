/**
 * The main bundle of the programs that test/integration/engine.test.ts builds. Performs what its first argument
 * names on its engine, and prints the outcome as JSON.
 */
import type { Primitives, SyscallArgument } from "../../../src/sys/primitives.ts";
import { type SyscallName, syscallNumbers } from "../../../src/sys/syscall-numbers.ts";
import { decodeUtf8 } from "../../../src/text/utf8.ts";

declare const nvociEngine: Primitives;
declare const nvociRequire: (name: string) => unknown;

const engine = nvociEngine;
const nr = syscallNumbers(engine.arch);
const AT_FDCWD = -100;

const call = (name: SyscallName, ...args: SyscallArgument[]): number => engine.syscall(nr[name], ...args);

/** Returns the action's result, or the name of the error that it throws. */
function outcome(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error instanceof Error ? error.name : "not an Error";
  }
}

/** Returns the bytes that the kernel received as the name of a memfd. */
function nameOfMemfd(name: string): readonly number[] {
  const fd = call("memfd_create", name, 1);
  const bytes = new Uint8Array(256);
  const length = call("readlinkat", AT_FDCWD, `/proc/self/fd/${fd}`, bytes, bytes.length);
  call("close", fd);
  return [...bytes.subarray("/memfd:".length, length - " (deleted)".length)];
}

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

type Step = readonly [number: number, args: readonly (number | bigint)[], ignored?: number];

function encodeSteps(steps: readonly Step[], offset = 0): Uint8Array {
  const buffer = new ArrayBuffer(64 * steps.length + offset);
  const view = new DataView(buffer, offset);
  steps.forEach(([number, args, ignored = 0], index) => {
    [number, ...args].forEach((value, slot) => {
      view.setBigInt64(64 * index + 8 * slot, BigInt(value), true);
    });
    view.setBigInt64(64 * index + 56, BigInt(ignored), true);
  });
  return new Uint8Array(buffer, offset);
}

/** Runs the steps in a child. Returns how clone(2) failed, what the child reported and how it ended. */
function runSteps(
  steps: Uint8Array,
  flags = 0,
): { error: number; report: readonly number[]; status: number } {
  const ends = new Int32Array(2);
  call("pipe2", new Uint8Array(ends.buffer), 0o2000000);
  const [reading = -1, writing = -1] = ends;
  const pid = engine.spawn(flags, steps, writing);
  call("close", writing);
  const report = new Int32Array(3);
  const length = call("read", reading, new Uint8Array(report.buffer), 12);
  call("close", reading);
  const status = new Int32Array(1);
  if (pid > 0) call("wait4", pid, new Uint8Array(status.buffer), 0, null);
  return {
    error: Math.min(pid, 0),
    report: [...report.subarray(0, length / 4)],
    status: status[0] ?? -1,
  };
}

const text = (string: string): Uint8Array => Uint8Array.from([...string, "\0"].map((c) => c.charCodeAt(0)));

/** Returns argv or environ for execve(2), with the arrays that it points to. */
function vector(strings: readonly Uint8Array[]): Uint8Array {
  const pointers = new BigUint64Array(strings.length + 1);
  strings.forEach((string, index) => {
    pointers[index] = BigInt(engine.address(string));
  });
  return new Uint8Array(pointers.buffer);
}

function spawnShell(script: string): unknown {
  const words = ["/bin/sh", "-c", script].map(text);
  const [path] = words;
  const argv = vector(words);
  return runSteps(
    encodeSteps([[nr.execve, [engine.address(path!), engine.address(argv), BigInt(engine.environAddress)]]]),
  );
}

const NOT_ARGUMENTS: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  boolean: true,
  fraction: 1.5,
  "not a number": Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  "beyond 2^53": 2 ** 53 + 2,
  object: {},
  array: [1],
  function: () => 1,
  symbol: Symbol("s"),
  Int8Array: new Int8Array(1),
  Uint16Array: new Uint16Array(1),
  DataView: new DataView(new ArrayBuffer(1)),
  ArrayBuffer: new ArrayBuffer(1),
};

function syscalls(): unknown {
  const pid = call("getpid");
  const stat = new Uint8Array(64);
  const zero = call("openat", AT_FDCWD, "/proc/self/stat", 0);
  const length = call("read", zero, stat.subarray(8), 16);
  const big = call("memfd_create", "big", 1);
  return {
    pidAgrees: engine.decode(stat, 8, 8 + length).startsWith(`${pid} `),
    untouchedBefore: stat.subarray(0, 8).every((byte) => byte === 0),
    absent: call("openat", AT_FDCWD, "/does/not/exist", 0),
    notOpen: call("read", -1, new Uint8Array(1), 1),
    notOpenAsBigInt: call("close", -1n),
    allBitsAsBigInt: call("close", 2n ** 64n - 1n),
    nullPointer: call("openat", AT_FDCWD, null, 0),
    unknownCall: engine.syscall(100_000),
    offset: engine.syscall(engine.arch === "x64" ? 8 : 62, big, 2 ** 40, 0),
    offsetAsBigInt: engine.syscall(engine.arch === "x64" ? 8 : 62, big, 2n ** 40n + 1n, 0),
    ascii: nameOfMemfd("abc"),
    latin1: nameOfMemfd("é"),
    beyondTheFirstPlane: nameOfMemfd("😀"),
    loneSurrogate: nameOfMemfd("a\ud800b"),
    empty: call("openat", AT_FDCWD, "", 0),
    withNul: outcome(() => call("openat", AT_FDCWD, "/proc\0/self", 0)),
    withNulAtEnd: outcome(() => call("openat", AT_FDCWD, "/proc\0", 0)),
    refused: Object.entries(NOT_ARGUMENTS).map(([name, value]) => [
      name,
      outcome(() => call("close", value as SyscallArgument)),
    ]),
    // The first argument alone would close standard input.
    nothingCalled: [outcome(() => call("close", 0, "\0")), call("fcntl", 0, 1, 0) >= 0],
    withoutNumber: outcome(() => (engine.syscall as () => number)()),
    textAsNumber: outcome(() => engine.syscall("1" as unknown as number)),
    sevenArguments: outcome(() => call("getpid", 1, 2, 3, 4, 5, 6, 7)),
  };
}

function addresses(): unknown {
  const bytes = Uint8Array.from([1, 2, 3, 4]);
  const before = engine.address(bytes);
  // Triggers garbage collection: Node.js may move small arrays until their address is requested.
  let garbage: number[][] = [];
  for (let i = 0; i < 200_000; i++) garbage.push([i]);
  garbage = [];
  const fd = call("memfd_create", "address", 1);
  call("write", fd, engine.address(bytes.subarray(1)), 2);
  const back = new Uint8Array(4);
  const length = call("pread64", fd, back, 4, 0);
  return {
    positive: Number.isSafeInteger(before) && before > 0,
    stable: engine.address(bytes) === before,
    ofSubarray: engine.address(bytes.subarray(3)) - before,
    readThrough: [...back.subarray(0, length)],
    ofEmpty: engine.address(new Uint8Array(0)) > 0,
    ofText: outcome(() => engine.address("text" as unknown as Uint8Array)),
    ofNothing: outcome(() => (engine.address as () => number)()),
    ofOtherArray: outcome(() => engine.address(new Int32Array(1) as unknown as Uint8Array)),
  };
}

function decoding(): unknown {
  const bytes = text("abc");
  return {
    part: engine.decode(bytes, 1, 2),
    nothing: engine.decode(bytes, 1, 1),
    nul: engine.decode(bytes, 0, 4),
    markOfOrder: engine.decode(Uint8Array.from([0xef, 0xbb, 0xbf, 0x61]), 0, 4),
    pastTheEnd: outcome(() => engine.decode(bytes, 0, 5)),
    beforeTheStart: outcome(() => engine.decode(bytes, -1, 2)),
    backwards: outcome(() => engine.decode(bytes, 2, 1)),
    fraction: outcome(() => engine.decode(bytes, 0, 0.5)),
    ofText: outcome(() => engine.decode("abc" as unknown as Uint8Array, 0, 1)),
  };
}

function spawning(): unknown {
  const close: Step = [nr.close, [-1]];
  return {
    nothingToDo: runSteps(new Uint8Array(0)),
    allDone: runSteps(encodeSteps([[nr.getpid, []]])),
    ownPid: runSteps(encodeSteps([[nr.kill, [call("getpid"), 0]]])),
    failed: runSteps(encodeSteps([[nr.getpid, []], close])),
    failedUnaligned: runSteps(encodeSteps([[nr.getpid, []], close], 3)),
    ignored: runSteps(
      encodeSteps([
        [nr.close, [-1], 9],
        [nr.exit_group, [3]],
      ]),
    ),
    otherIgnored: runSteps(
      encodeSteps([
        [nr.close, [-1], 2],
        [nr.exit_group, [3]],
      ]),
    ),
    anyIgnored: runSteps(
      encodeSteps([
        [nr.close, [-1], -1],
        [nr.exit_group, [3]],
      ]),
    ),
    program: spawnShell("exit 7"),
    environment: spawnShell('test "$CONTRACT" = "kept"'),
    memoryShared: runSteps(encodeSteps([]), 0x100),
    otherSignal: runSteps(encodeSteps([]), 9),
    halfAStep: outcome(() => engine.spawn(0, new Uint8Array(32), 2)),
    textForSteps: outcome(() => engine.spawn(0, "steps" as unknown as Uint8Array, 2)),
  };
}

const CASES: Readonly<Record<string, (words: readonly string[]) => unknown>> = {
  constants: () => ({
    arch: engine.arch,
    argv: engine.argv,
    environ: engine.environ,
    argvAddress: engine.argvAddress > 0,
    environAddress: engine.environAddress > 0,
  }),
  syscalls,
  addresses,
  decoding,
  spawning,
  decode: (words) => words.map((hex) => engine.decode(bytesOf(hex), 0, hex.length / 2)),
  decodeStrictly: (words) => words.map((hex) => decodeUtf8(bytesOf(hex)) ?? null),
  signals: () => {
    // struct sigaction starts with the handler; 13 is SIGPIPE.
    const action = new Uint8Array(32);
    call("rt_sigaction", 13, null, action, 8);
    const limits = new Uint8Array(16);
    call("prlimit64", 0, 7, null, limits);
    const soft = Number(new DataView(limits.buffer).getBigUint64(0, true));
    return { pipeIsDefault: action.subarray(0, 8).every((byte) => byte === 0), openFiles: soft };
  },
  nesting: () => outcome(() => JSON.parse("[".repeat(1_000_000))),
  recursion: () => {
    const descend = (depth: number): number => descend(depth + 1) + 1;
    return typeof outcome(() => descend(0));
  },
  require: () => outcome(() => nvociRequire("./absent.cjs")) !== undefined,
  throw: () => {
    throw new RangeError("of the contract");
  },
  throwText: () => {
    throw "words";
  },
};

const [, name = "", ...words] = engine.argv;
const asEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
const printed = `${JSON.stringify(CASES[name]?.(words)).replace(/[\x80-\uffff]/g, asEscape)}\n`;
call("write", 1, printed, printed.length);
