import { EINVAL, ENOENT, EPERM } from "../../../src/sys/errno.ts";
import type { Syscalls } from "../../../src/sys/syscalls.ts";

/** A loaded device program. */
export interface LoadedProgram {
  readonly instructions: Uint8Array;
  readonly maps?: number;
  /** The kernel hides the instructions of a blinded program from processes that may not see kernel addresses. */
  readonly blinded?: true;
}

/** A cgroup with device programs, as bpf(2) presents it. */
interface FakeBpf {
  readonly system: Pick<Syscalls, "bpf" | "address" | "prlimit64">;
  /** Returns the attached programs, in order. */
  attached(): readonly Uint8Array[];
  /** Names of the commands that change something, including refused ones. */
  readonly changes: readonly string[];
}

const ALLOW_MULTI = 2;
const REPLACE = 4;
/** Descriptors and ids of programs start here, which distinguishes them. */
const FIRST_FD = 100;

/**
 * Returns a cgroup with attached programs.
 *
 * @param flags of attaching them: 0, 1 (BPF_F_ALLOW_OVERRIDE) or 2 (BPF_F_ALLOW_MULTI).
 * @param kernel `replaces`: it supports BPF_F_REPLACE (5.6); `refuses`: it loads no program.
 */
export function fakeBpf(
  programs: readonly LoadedProgram[],
  flags: number,
  kernel: { readonly replaces: boolean; readonly refuses?: true },
): FakeBpf {
  const loaded = [...programs];
  let attached = programs.map((_, id) => id);
  const changes: string[] = [];
  const arrays: Uint8Array[] = [];
  const at = (address: bigint): Uint8Array => arrays[Number(address) - 1] ?? new Uint8Array();

  const attach = (id: number, asked: number, replaced: number): number => {
    changes.push(asked & REPLACE ? "replace" : "attach");
    if ((asked & ~REPLACE) !== flags) return -EPERM;
    if (asked & REPLACE) {
      if (!kernel.replaces) return -EINVAL;
      if (!attached.includes(replaced)) return -ENOENT;
      attached = attached.map((one) => (one === replaced ? id : one));
    } else attached = flags & ALLOW_MULTI ? [...attached, id] : [id];
    return 0;
  };

  const info = (id: number, bytes: Uint8Array): number => {
    const { instructions, maps = 0, blinded } = loaded[id] as LoadedProgram;
    const view = new DataView(bytes.buffer);
    const room = view.getUint32(20, true);
    const target = view.getBigUint64(32, true);
    view.setUint32(20, instructions.length, true);
    view.setUint32(52, maps, true);
    if (blinded) view.setBigUint64(32, 0n, true);
    else if (target !== 0n) at(target).set(instructions.subarray(0, room));
    return 0;
  };

  const bpf: Syscalls["bpf"] = (command, attribute) => {
    const view = new DataView(attribute.buffer);
    const u32 = (offset: number) => view.getUint32(offset, true);
    const u64 = (offset: number) => view.getBigUint64(offset, true);
    switch (command) {
      case 16:
        new Uint32Array(at(u64(16)).buffer).set(attached.map((id) => id + 1));
        view.setUint32(24, attached.length, true);
        view.setUint32(12, flags, true);
        return 0;
      case 13:
        return u32(0) + FIRST_FD - 1;
      case 15:
        return info(u32(0) - FIRST_FD, at(u64(8)));
      case 5:
        changes.push("load");
        if (kernel.refuses) return -EPERM;
        return loaded.push({ instructions: at(u64(8)).slice(0, u32(4) * 8) }) - 1 + FIRST_FD;
      case 8:
        return attach(u32(4) - FIRST_FD, u32(12), u32(16) - FIRST_FD);
      case 9:
        changes.push("detach");
        attached = attached.filter((id) => id !== u32(4) - FIRST_FD);
        return 0;
      default:
        return -EINVAL;
    }
  };
  return {
    system: { bpf, address: (bytes) => arrays.push(bytes), prlimit64: () => {} },
    attached: () => attached.map((id) => (loaded[id] as LoadedProgram).instructions),
    changes,
  };
}
