import type { DeviceRule } from "../../plan/operation.ts";

/** Size of an eBPF instruction: u8 code, u4 dst, u4 src, s16 offset, s32 immediate. */
export const INSTRUCTION_BYTES = 8;

const LDX_MEM_W = 0x61;
const JNE_IMM = 0x55;
const ALU_AND_IMM = 0x54;
const ALU_RSH_IMM = 0x74;
const ALU_MOV_REG = 0xbc;
const ALU64_MOV_IMM = 0xb7;
const EXIT = 0x95;

/** BPF_DEVCG_ACC_* and BPF_DEVCG_DEV_*. @see include/uapi/linux/bpf.h */
const ACCESS_BITS: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
const ALL_ACCESS = 7;
const TYPE_NUMBER = { b: 1, c: 2 } as const;

type Instruction = readonly [code: number, dst: number, src: number, offset: number, immediate: number];

/**
 * Loads struct bpf_cgroup_dev_ctx {u32 access_type, major, minor}: r2 type, r3 access, r4 major, r5 minor.
 * r1 keeps the context for the program that follows.
 */
const PROLOGUE: readonly Instruction[] = [
  [LDX_MEM_W, 2, 1, 0, 0],
  [ALU_MOV_REG, 3, 2, 0, 0],
  [ALU_AND_IMM, 2, 0, 0, 0xffff],
  [ALU_RSH_IMM, 3, 0, 0, 16],
  [LDX_MEM_W, 4, 1, 4, 0],
  [LDX_MEM_W, 5, 1, 8, 0],
];

/** Returns instructions that exit with 1 when the device matches the rule and the rule allows the whole access. */
function block({ type, major, minor, access }: DeviceRule): Instruction[] {
  const allowed = [...access].reduce((bits, letter) => bits | (ACCESS_BITS[letter] ?? 0), 0);
  return [
    [JNE_IMM, 2, 0, 7, TYPE_NUMBER[type]],
    [JNE_IMM, 4, 0, 6, major],
    [JNE_IMM, 5, 0, 5, minor],
    [ALU_MOV_REG, 0, 3, 0, 0],
    [ALU_AND_IMM, 0, 0, 0, ALL_ACCESS & ~allowed],
    [JNE_IMM, 0, 0, 2, 0],
    [ALU64_MOV_IMM, 0, 0, 0, 1],
    [EXIT, 0, 0, 0, 0],
  ];
}

/**
 * Prepends rules to a device program. An access that a rule covers is allowed; the program decides any other, as
 * before.
 *
 * @param existing the instructions of a loaded program.
 * @returns the instructions of the program to load in its place.
 * @see https://docs.kernel.org/bpf/standardization/instruction-set.html
 */
export function extendDeviceProgram(rules: readonly DeviceRule[], existing: Uint8Array): Uint8Array {
  const instructions = [...PROLOGUE, ...rules.flatMap(block)];
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_BYTES + existing.length);
  const view = new DataView(bytes.buffer);
  instructions.forEach(([code, dst, src, offset, immediate], index) => {
    const at = index * INSTRUCTION_BYTES;
    view.setUint8(at, code);
    view.setUint8(at + 1, (src << 4) | dst);
    view.setInt16(at + 2, offset, true);
    view.setInt32(at + 4, immediate, true);
  });
  bytes.set(existing, instructions.length * INSTRUCTION_BYTES);
  return bytes;
}
