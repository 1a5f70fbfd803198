import { describe, expect, it } from "vitest";
import { ANY_ERROR, StepList } from "../../../src/sys/step-list.ts";
import { syscallNumbers } from "../../../src/sys/syscall-numbers.ts";
import { fakeSyscalls } from "../../support/kernel/fake-syscalls.ts";

const STEP_BYTES = 64;

/** A kernel that records the arrays whose address was requested: the n-th is at 4096 times n. */
function memory() {
  const arrays: Uint8Array[] = [];
  const system = fakeSyscalls({ address: (bytes) => arrays.push(bytes) * 4096 });
  const textAt = (address: bigint) => new TextDecoder().decode(arrays[Number(address) / 4096 - 1]);
  return { system, textAt };
}

/** Returns the records as lists of eight numbers. */
function recordsOf(bytes: Uint8Array): bigint[][] {
  expect(bytes.length % STEP_BYTES).toBe(0);
  const words = [...new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8)];
  return Array.from({ length: bytes.length / STEP_BYTES }, (_, index) =>
    words.slice(index * 8, index * 8 + 8),
  );
}

describe("StepList", () => {
  const { setresuid, mount } = syscallNumbers("x64");

  it("writes the number, six arguments and the tolerated errno of each call, in order", () => {
    const steps = new StepList(memory().system).call("setresuid", [1, 2, 3]).call("setresuid", [4, 5, 6], 1);
    expect(recordsOf(steps.encode())).toEqual([
      [BigInt(setresuid), 1n, 2n, 3n, 0n, 0n, 0n, 0n],
      [BigInt(setresuid), 4n, 5n, 6n, 0n, 0n, 0n, 1n],
    ]);
  });

  it("uses the machine's own numbers", () => {
    const arm = { ...memory().system, arch: "arm64" as const };
    const [record] = recordsOf(new StepList(arm).call("chdir", [0]).encode());
    expect(record?.[0]).toBe(BigInt(syscallNumbers("arm64").chdir));
  });

  it("passes strings as NUL-terminated UTF-8, null as 0 and negative numbers as themselves", () => {
    const { system, textAt } = memory();
    const steps = new StepList(system).call("mount", [null, "/né", null, -100, "x=1"], ANY_ERROR);
    const [record = []] = recordsOf(steps.encode());
    const [number, source, target, type, flags, data, last, tolerated] = record as [bigint, ...bigint[]];
    expect([number, source, type, flags, last, tolerated]).toEqual([BigInt(mount), 0n, 0n, -100n, 0n, -1n]);
    expect(textAt(target as bigint)).toBe("/né\0");
    expect(textAt(data as bigint)).toBe("x=1\0");
  });

  it("passes a byte array by its address, unchanged", () => {
    const { system, textAt } = memory();
    const [record = []] = recordsOf(
      new StepList(system).call("write", [0, new Uint8Array([65, 66]), 2]).encode(),
    );
    expect(textAt(record[2] as bigint)).toBe("AB");
  });

  it("stringArray() ends with a null pointer", () => {
    const { system, textAt } = memory();
    const array = new StepList(system).stringArray(["ldconfig", "-C"]);
    const pointers = [...new BigUint64Array(array.buffer)];
    expect(pointers).toHaveLength(3);
    expect(pointers.slice(0, 2).map(textAt)).toEqual(["ldconfig\0", "-C\0"]);
    expect(pointers[2]).toBe(0n);
  });

  it("stringArray() of nothing is only a null pointer", () => {
    expect([...new StepList(memory().system).stringArray([])]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('nameOf() names a step, and returns "unknown step" for any other number', () => {
    const steps = new StepList(memory().system).call("chdir", ["/"]).call("chroot", ["."]);
    expect([steps.nameOf(0), steps.nameOf(1), steps.nameOf(2)]).toEqual(["chdir", "chroot", "unknown step"]);
  });
});
