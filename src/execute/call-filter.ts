import type { Arch } from "../model/machine.ts";
import { EPERM } from "../sys/errno.ts";

/** Bytes of one classic BPF instruction: u16 code, u8 jump if true, u8 jump if false, u32 constant. */
const INSTRUCTION_BYTES = 8;

const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const RETURN = 0x06;

/** Offsets in struct seccomp_data. */
const NUMBER = 0;
const ARCHITECTURE = 4;

const ALLOW = 0x7fff0000;
const FAIL_WITH = 0x00050000;

/** AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64. @see include/uapi/linux/audit.h */
const ARCHITECTURES = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;

/** Calls from here on are of x86_64's second ABI, with 32-bit pointers, and have no business here. */
const X32 = 0x40000000;

/**
 * Numbers of calls that no ldconfig makes and that lead to large parts of the kernel: namespaces, mounts, other
 * processes, keys, programs and modules for the kernel, networks. From 424 on they are the same everywhere.
 *
 * Children are among them: each would have the limits of a process for itself, in the hook's cgroup, which has none.
 * arm64 has clone(2) alone.
 */
export const REFUSED_CALLS: Readonly<
  Record<string, { readonly x64: number; readonly arm64?: number } | number>
> = {
  acct: { x64: 163, arm64: 89 },
  add_key: { x64: 248, arm64: 217 },
  bpf: { x64: 321, arm64: 280 },
  chroot: { x64: 161, arm64: 51 },
  clone: { x64: 56, arm64: 220 },
  clone3: 435,
  delete_module: { x64: 176, arm64: 106 },
  finit_module: { x64: 313, arm64: 273 },
  fork: { x64: 57 },
  fsconfig: 431,
  fsmount: 432,
  fsopen: 430,
  fspick: 433,
  init_module: { x64: 175, arm64: 105 },
  io_uring_setup: 425,
  kcmp: { x64: 312, arm64: 272 },
  kexec_load: { x64: 246, arm64: 104 },
  keyctl: { x64: 250, arm64: 219 },
  mknodat: { x64: 259, arm64: 33 },
  mount: { x64: 165, arm64: 40 },
  mount_setattr: 442,
  move_mount: 429,
  open_by_handle_at: { x64: 304, arm64: 265 },
  open_tree: 428,
  perf_event_open: { x64: 298, arm64: 241 },
  personality: { x64: 135, arm64: 92 },
  pidfd_getfd: 438,
  pidfd_open: 434,
  pivot_root: { x64: 155, arm64: 41 },
  process_vm_readv: { x64: 310, arm64: 270 },
  process_vm_writev: { x64: 311, arm64: 271 },
  ptrace: { x64: 101, arm64: 117 },
  reboot: { x64: 169, arm64: 142 },
  request_key: { x64: 249, arm64: 218 },
  setns: { x64: 308, arm64: 268 },
  socket: { x64: 41, arm64: 198 },
  swapon: { x64: 167, arm64: 224 },
  umount2: { x64: 166, arm64: 39 },
  unshare: { x64: 272, arm64: 97 },
  userfaultfd: { x64: 323, arm64: 282 },
  vfork: { x64: 58 },
};

/**
 * Writes a seccomp(2) filter that refuses calls with EPERM which a confined program never needs. It is a further wall
 * behind the others, for a program that an image has taken over: without privileges it could still ask for a user
 * namespace, where it would have them.
 *
 * @returns classic BPF instructions, eight bytes each.
 * @see seccomp(2)
 */
export function callFilter(arch: Arch): Uint8Array {
  const refused = Object.values(REFUSED_CALLS).flatMap((number) =>
    typeof number === "number" ? number : (number[arch] ?? []),
  );
  const length = refused.length + 6;
  const refuse = length - 1;
  const bytes = new Uint8Array(length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  let index = 0;
  /** Jumps are told as the instruction to go on with; without, the next one. */
  function add(code: number, constant: number, ifTrue = index + 1, ifFalse = index + 1): void {
    const at = index++ * INSTRUCTION_BYTES;
    const isJump = code !== LOAD_WORD && code !== RETURN;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, isJump ? ifTrue - index : 0);
    view.setUint8(at + 3, isJump ? ifFalse - index : 0);
    view.setUint32(at + 4, constant, true);
  }
  add(LOAD_WORD, ARCHITECTURE);
  add(JUMP_EQUAL, ARCHITECTURES[arch], undefined, refuse);
  add(LOAD_WORD, NUMBER);
  add(JUMP_AT_LEAST, X32, refuse);
  for (const number of refused) add(JUMP_EQUAL, number, refuse);
  add(RETURN, ALLOW);
  add(RETURN, FAIL_WITH | EPERM);
  return bytes;
}
