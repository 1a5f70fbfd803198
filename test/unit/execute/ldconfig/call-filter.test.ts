import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allowedCalls, callFilter } from "../../../../src/execute/ldconfig/call-filter.ts";
import { syscallNumbers } from "../../../../src/sys/syscall-numbers.ts";

const ARCHITECTURES = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;
const ALLOWED = 0x7fff0000;
const EPERM = 0x00050001;

interface Call {
  readonly number: number;
  readonly architecture?: number;
  /** Offset of the lower half of the fourth argument. */
  readonly fourth?: number;
}

/** Runs a filter as the kernel does. @see https://docs.kernel.org/networking/filter.html */
function run(filter: Uint8Array, call: Call & { readonly architecture: number }): number {
  const view = new DataView(filter.buffer, filter.byteOffset, filter.length);
  const data: Readonly<Record<number, number>> = {
    0: call.number,
    4: call.architecture,
    40: call.fourth ?? 0,
  };
  let accumulator = 0;
  for (let at = 0; ; ) {
    const code = view.getUint16(at, true);
    const constant = view.getUint32(at + 4, true);
    const jump = (condition: boolean): number => 8 + 8 * view.getUint8(at + (condition ? 2 : 3));
    switch (code) {
      case 0x20:
        accumulator = data[constant] ?? Number.NaN;
        at += 8;
        break;
      case 0x54:
        accumulator &= constant;
        at += 8;
        break;
      case 0x15:
        at += jump(accumulator === constant);
        break;
      case 0x35:
        at += jump(accumulator >= constant);
        break;
      case 0x06:
        return constant;
      default:
        throw new Error(`unknown instruction ${code} at ${at}`);
    }
  }
}

/** `undefined` for a call that the machine does not have. */
const numberOf = (name: string, arch: "x64" | "arm64"): number | undefined => allowedCalls(arch).get(name);

describe.each(["x64", "arm64"] as const)("callFilter() on %s", (arch) => {
  const filter = callFilter(arch);
  const answer = (call: Call): number => run(filter, { architecture: ARCHITECTURES[arch], ...call });
  const calls = syscallNumbers(arch);

  it("allows every call of its list", () => {
    for (const name of [...allowedCalls("x64").keys()]) {
      const number = numberOf(name, arch);
      if (number !== undefined) expect(answer({ number }), name).toBe(ALLOWED);
    }
  });

  it("refuses every other call, including future ones", () => {
    const allowed = new Set([...allowedCalls("x64").keys()].map((name) => numberOf(name, arch)));
    for (let number = 0; number < 1000; number++) {
      if (!allowed.has(number)) expect(answer({ number }), `${number}`).toBe(EPERM);
    }
  });

  it("refuses shared anonymous memory", () => {
    const number = numberOf("mmap", arch) ?? -1;
    expect(answer({ number, fourth: 0x21 })).toBe(EPERM);
    expect(answer({ number, fourth: 0x23 })).toBe(EPERM);
    for (const fourth of [0x1, 0x2, 0x22, 0x802]) expect(answer({ number, fourth })).toBe(ALLOWED);
  });

  it("refuses every way to create a child", () => {
    const ways = { x64: [56, 57, 58, 435], arm64: [220, 435] }[arch];
    for (const number of ways) expect(answer({ number }), `${number}`).toBe(EPERM);
  });

  it("refuses every call made with another architecture's numbers", () => {
    for (const architecture of [0x40000003, 0x40000028, ARCHITECTURES[arch === "x64" ? "arm64" : "x64"]]) {
      expect(answer({ number: calls.read, architecture })).toBe(EPERM);
    }
    expect(answer({ number: 0x40000000 + calls.read })).toBe(EPERM);
  });

  const headers = {
    x64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
    arm64: "/usr/include/asm-generic/unistd.h",
  };
  it.skipIf(!existsSync(headers[arch]))(
    "matches the kernel's headers (needs headers: apt-get install libc6-dev)",
    () => {
      const text = readFileSync(headers[arch], "utf8");
      for (const name of [...allowedCalls("x64").keys()]) {
        const own = name === "newfstatat" && arch === "arm64" ? "fstatat" : name;
        const [, number] = new RegExp(`#define __NR(?:3264)?_${own}\\s+(\\d+)`).exec(text) ?? [];
        expect([name, number && Number(number)]).toEqual([name, numberOf(name, arch)]);
      }
    },
  );
});
