import { describe, expect, it } from "vitest";
import { CLOCK_MONOTONIC } from "../../../src/sys/constants.ts";
import { collectOutput } from "../../../src/sys/run-child.ts";
import { Fd } from "../../../src/sys/syscalls.ts";
import { fakeSyscalls } from "../../support/kernel/fake-syscalls.ts";

const START = 1_000_000;
const READER = new Fd(5, "pipe");

/** A child that writes `chunks` chunks of `size` bytes, one every `pause` seconds, and then may close the pipe. */
function child({
  chunks,
  size,
  pause,
  closes,
}: {
  chunks: number;
  size: number;
  pause: number;
  closes: boolean;
}) {
  let now = START;
  let left = chunks;
  const waits: number[] = [];
  const system = fakeSyscalls({
    clock_gettime: (clock) => {
      if (clock !== CLOCK_MONOTONIC) throw new Error("the time of day can be set");
      return now;
    },
    ppoll: (_, timeout) => {
      waits.push(timeout);
      const isSilent = left === 0 && !closes;
      now += isSilent ? timeout / 1000 : pause;
      return !isSilent;
    },
    read: (_, buffer) => {
      if (left === 0) return 0;
      left--;
      buffer.fill(0x61, 0, size);
      return size;
    },
    decode: (bytes, start, end) => new TextDecoder().decode(bytes.subarray(start, end)),
  });
  return { system, waits, left: () => left };
}

describe("collectOutput()", () => {
  it("returns everything that is printed before the pipe closes", () => {
    expect(
      collectOutput(child({ chunks: 3, size: 2, pause: 1, closes: true }).system, READER, START + 30),
    ).toBe("aaaaaa");
    expect(
      collectOutput(child({ chunks: 0, size: 0, pause: 0, closes: true }).system, READER, START + 30),
    ).toBe("");
  });

  it("gives up on a silent child exactly at the deadline", () => {
    const { system, waits } = child({ chunks: 1, size: 1, pause: 0, closes: false });
    expect(collectOutput(system, READER, START + 30)).toBeUndefined();
    expect(waits).toEqual([30_000, 30_000]);
  });

  it("gives up on a child that never stops printing", () => {
    const endless = child({ chunks: Number.POSITIVE_INFINITY, size: 4096, pause: 0.001, closes: true });
    expect(collectOutput(endless.system, READER, START + 2)).toBeUndefined();
  });

  it("keeps 256 KiB of any output, and reads and drops the rest", () => {
    const { system, left } = child({ chunks: 1000, size: 4096, pause: 0, closes: true });
    expect(collectOutput(system, READER, START + 2)?.length).toBe(256 * 1024);
    expect(left()).toBe(0);
  });
});
