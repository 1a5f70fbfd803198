/** The instruction codes of device programs. @see RFC 9669 */
const LOAD_WORD = 0x61;
const MOVE_64 = 0xb7;
const MOVE_32_REGISTER = 0xbc;
const AND_32 = 0x54;
const SHIFT_RIGHT_32 = 0x74;
const JUMP_NOT_EQUAL = 0x55;
const JUMP_EQUAL = 0x15;
const EXIT = 0x95;

/** The kernel's request to a device program. */
interface DeviceRequest {
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
  /** Letters out of `rwm`. */
  readonly access: string;
}

const instruction = (code: number, dst = 0, src = 0, offset = 0, immediate = 0): Uint8Array => {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, code);
  view.setUint8(1, (src << 4) | dst);
  view.setInt16(2, offset, true);
  view.setInt32(4, immediate, true);
  return bytes;
};

/** Joins instructions. */
const assemble = (...instructions: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(instructions.flatMap((bytes) => [...bytes]));

/** Returns a program that answers every request with the same result. */
export const constantProgram = (answer: number): Uint8Array =>
  assemble(instruction(MOVE_64, 0, 0, 0, answer), instruction(EXIT));

/** Returns a program that allows one major number, read through the context in r1. */
export const majorProgram = (major: number): Uint8Array =>
  assemble(
    instruction(LOAD_WORD, 2, 1, 4),
    instruction(MOVE_64, 0, 0, 0, 1),
    instruction(JUMP_EQUAL, 2, 0, 1, major),
    instruction(MOVE_64, 0, 0, 0, 0),
    instruction(EXIT),
  );

/** `struct bpf_cgroup_dev_ctx`: access in the upper half of the first word, type in the lower, major, minor. */
const context = ({ type, major, minor, access }: DeviceRequest): readonly number[] => {
  const bits = [...access].reduce((sum, letter) => sum | { m: 1, r: 2, w: 4 }[letter as "m"], 0);
  return [((bits << 16) | { b: 1, c: 2 }[type]) >>> 0, major, minor];
};

const CONTEXT = "context";

/**
 * Runs a device program as the kernel would. Reading a register without a value throws, as does a jump backwards
 * or out of the program.
 *
 * @returns the value of r0 at exit.
 */
export function runDeviceProgram(program: Uint8Array, request: DeviceRequest): number {
  const words = context(request);
  const registers: (number | typeof CONTEXT | undefined)[] = [undefined, CONTEXT];
  const view = new DataView(program.buffer, program.byteOffset, program.length);
  const value = (register: number): number => {
    const held = registers[register];
    if (typeof held !== "number") throw new Error(`r${register} does not contain a number`);
    return held;
  };
  for (let at = 0; at >= 0 && at < program.length; at += 8) {
    const dst = view.getUint8(at + 1) & 0xf;
    const src = view.getUint8(at + 1) >> 4;
    const offset = view.getInt16(at + 2, true);
    const immediate = view.getInt32(at + 4, true);
    const jump = (): void => {
      if (offset < 0) throw new Error("the program jumps backwards");
      at += offset * 8;
    };
    switch (view.getUint8(at)) {
      case LOAD_WORD:
        if (registers[src] !== CONTEXT || offset % 4 !== 0) throw new Error(`r${src} is not the context`);
        registers[dst] = words[offset / 4];
        break;
      case MOVE_64:
        registers[dst] = immediate;
        break;
      case MOVE_32_REGISTER:
        registers[dst] = value(src) >>> 0;
        break;
      case AND_32:
        registers[dst] = (value(dst) & immediate) >>> 0;
        break;
      case SHIFT_RIGHT_32:
        registers[dst] = value(dst) >>> immediate;
        break;
      case JUMP_NOT_EQUAL:
        if (value(dst) !== immediate) jump();
        break;
      case JUMP_EQUAL:
        if (value(dst) === immediate) jump();
        break;
      case EXIT:
        return value(0);
      default:
        throw new Error(`unknown instruction 0x${view.getUint8(at).toString(16)}`);
    }
  }
  throw new Error("the program runs past its end");
}
