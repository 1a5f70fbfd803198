import { NvociError } from "../../model/errors.ts";
import type { DeviceRule } from "../../plan/operation.ts";
import { RLIMIT_MEMLOCK } from "../../sys/constants.ts";
import { EINVAL, EPERM } from "../../sys/errno.ts";
import { Fd, type Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import type { Undo } from "../undo.ts";
import { extendDeviceProgram, INSTRUCTION_BYTES } from "./device-program.ts";

/** Commands, types and flags of bpf(2). @see include/uapi/linux/bpf.h */
const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_DETACH = 9;
const BPF_PROG_GET_FD_BY_ID = 13;
const BPF_OBJ_GET_INFO_BY_FD = 15;
const BPF_PROG_QUERY = 16;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
const BPF_F_ALLOW_MULTI = 2;
const BPF_F_REPLACE = 4;

/** Maximum number of programs of one cgroup (BPF_CGROUP_MAX_PROGS). */
const MAX_PROGRAMS = 64;
/** Enough for kernels before 5.11, which count program memory against this limit and fail with EPERM. */
const MEMLOCK_BYTES = 64 * 1024 * 1024;

/** Raises the memory limit. Best effort: if it is refused and matters, the second load fails. */
function raiseMemoryLimit(system: Syscalls): void {
  try {
    system.prlimit64(RLIMIT_MEMLOCK, MEMLOCK_BYTES);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

type Field = readonly [offset: number, value: number, width: 4 | 8];
const u32 = (offset: number, value: number): Field => [offset, value, 4];
const u64 = (offset: number, value: number): Field => [offset, value, 8];

/** Returns a `union bpf_attr`. 64 bytes are enough for every command here; unused bytes must be zero. */
function attribute(...fields: readonly Field[]): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  for (const [offset, value, width] of fields) {
    if (width === 4) view.setUint32(offset, value, true);
    else view.setBigUint64(offset, BigInt(value), true);
  }
  return bytes;
}

const read32 = (bytes: Uint8Array, offset: number): number =>
  new DataView(bytes.buffer).getUint32(offset, true);

/** Calls bpf(2). The error names the command. */
function bpf(system: Syscalls, name: string, command: number, attr: Uint8Array): number {
  const result = system.bpf(command, attr);
  if (result < 0) throw new SystemError("bpf", [{ text: name }], result);
  return result;
}

interface AttachedPrograms {
  readonly ids: readonly number[];
  /** The BPF_F_ALLOW_… flags that they were attached with. A replacement must use the same. */
  readonly flags: number;
}

function queryPrograms(system: Syscalls, cgroup: Fd): AttachedPrograms {
  const ids = new Uint8Array(MAX_PROGRAMS * 4);
  const attr = attribute(
    u32(0, cgroup.number),
    u32(4, BPF_CGROUP_DEVICE),
    u64(16, system.address(ids)),
    u32(24, MAX_PROGRAMS),
  );
  bpf(system, "BPF_PROG_QUERY", BPF_PROG_QUERY, attr);
  const found = Array.from({ length: read32(attr, 24) }, (_, index) => read32(ids, index * 4));
  return { ids: found, flags: read32(attr, 12) };
}

const HIDDEN = "the kernel does not show its instructions";

/**
 * Reads a program's instructions through struct bpf_prog_info: xlated_prog_len at 20, xlated_prog_insns at 32,
 * nr_map_ids at 52.
 *
 * @throws {NvociError} "operation-failed" when the program uses maps or the kernel hides its instructions.
 */
function readInstructions(system: Syscalls, program: Fd, id: number): Uint8Array {
  const info = new Uint8Array(128);
  const infoView = new DataView(info.buffer);
  const ask = (): void => {
    const attr = attribute(u32(0, program.number), u32(4, info.length), u64(8, system.address(info)));
    bpf(system, "BPF_OBJ_GET_INFO_BY_FD", BPF_OBJ_GET_INFO_BY_FD, attr);
  };
  ask();
  const length = read32(info, 20);
  const maps = read32(info, 52);
  const refuse = (reason: string): never => {
    throw new NvociError("operation-failed", `Cannot extend the cgroup's device program ${id}: ${reason}`, {
      hint: "register nvidia-container-runtime, so that the runtime itself grants device access",
    });
  };
  if (maps > 0) refuse("it uses maps");
  if (length === 0 || length % INSTRUCTION_BYTES !== 0) refuse(HIDDEN);
  const instructions = new Uint8Array(length);
  info.fill(0);
  infoView.setUint32(20, length, true);
  infoView.setBigUint64(32, BigInt(system.address(instructions)), true);
  ask();
  // With net.core.bpf_jit_harden the kernel returns only the program's length, and clears the address.
  if (infoView.getBigUint64(32, true) === 0n) refuse(HIDDEN);
  return instructions;
}

function loadProgram(system: Syscalls, instructions: Uint8Array): Fd {
  const license = new Uint8Array([0x41, 0x70, 0x61, 0x63, 0x68, 0x65, 0]); // "Apache"
  const attr = attribute(
    u32(0, BPF_PROG_TYPE_CGROUP_DEVICE),
    u32(4, instructions.length / INSTRUCTION_BYTES),
    u64(8, system.address(instructions)),
    u64(16, system.address(license)),
  );
  let result = system.bpf(BPF_PROG_LOAD, attr);
  if (result === -EPERM) {
    raiseMemoryLimit(system);
    result = system.bpf(BPF_PROG_LOAD, attr);
  }
  if (result < 0) throw new SystemError("bpf", [{ text: "BPF_PROG_LOAD" }], result);
  return new Fd(result, "device program");
}

/**
 * Replaces `previous` with `next`. Since Linux 5.6 this is one atomic step. Before, the new program is attached
 * first: for a moment both must agree, which never allows more.
 */
function replaceProgram(system: Syscalls, cgroup: Fd, previous: Fd, next: Fd, flags: number): void {
  const attach = (extra: number): number =>
    system.bpf(
      BPF_PROG_ATTACH,
      attribute(
        u32(0, cgroup.number),
        u32(4, next.number),
        u32(8, BPF_CGROUP_DEVICE),
        u32(12, flags | extra),
        u32(16, extra === 0 ? 0 : previous.number),
      ),
    );
  // Attaching replaces a program that was attached without BPF_F_ALLOW_MULTI.
  const multi = (flags & BPF_F_ALLOW_MULTI) !== 0;
  let result = attach(multi ? BPF_F_REPLACE : 0);
  if (multi && result === -EINVAL) {
    result = attach(0);
    if (result >= 0) {
      const attr = attribute(u32(0, cgroup.number), u32(4, previous.number), u32(8, BPF_CGROUP_DEVICE));
      bpf(system, "BPF_PROG_DETACH", BPF_PROG_DETACH, attr);
    }
  }
  if (result < 0) throw new SystemError("bpf", [{ text: "BPF_PROG_ATTACH" }], result);
}

/**
 * Allows devices in a version 2 cgroup. Extends every device program attached to it, because access requires that
 * all of them agree. A cgroup without programs allows everything already.
 *
 * @param cgroup the cgroup's directory, opened for reading.
 * @throws {NvociError} "operation-failed" when a program cannot be extended.
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html#device-controller
 */
export function allowInCgroupV2(
  system: Syscalls,
  cgroup: Fd,
  rules: readonly DeviceRule[],
  undo: Undo,
): void {
  const { ids, flags } = queryPrograms(system, cgroup);
  for (const id of ids) {
    const previous = new Fd(
      bpf(system, "BPF_PROG_GET_FD_BY_ID", BPF_PROG_GET_FD_BY_ID, attribute(u32(0, id))),
      `device program ${id}`,
    );
    const extended = extendDeviceProgram(rules, readInstructions(system, previous, id));
    const next = loadProgram(system, extended);
    replaceProgram(system, cgroup, previous, next, flags);
    undo.add(() => replaceProgram(system, cgroup, next, previous, flags));
  }
}
