import type { Arch } from "../model/machine.ts";
import type { FileType } from "../model/views.ts";
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  SCM_RIGHTS,
  SOL_SOCKET,
} from "./constants.ts";
import type { Stat } from "./syscalls.ts";

/** A literal, because QuickJS evaluates `2 ** 32` each time. */
const TWO_32 = 0x1_0000_0000;

const TYPES: Readonly<Record<number, FileType>> = {
  [S_IFREG]: "file",
  [S_IFDIR]: "directory",
  [S_IFLNK]: "symlink",
  [S_IFCHR]: "character-device",
  [S_IFBLK]: "block-device",
  [S_IFIFO]: "fifo",
};

/** Minor device numbers have 20 bits. */
const DEVICE_RADIX = 0x10_0000;

const fileType = (mode: number): FileType => TYPES[mode & S_IFMT] ?? "socket";

/** Reads a u64. Values above 2^53 lose their last bits; inode numbers and sizes that large are not compared exactly. */
const u64 = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true);

/**
 * Decodes `struct statx` on a little-endian machine. It is called twice for every manifest entry, so it indexes 32-bit
 * words directly, which is several times as fast as a DataView.
 *
 * @see statx(2), include/uapi/linux/stat.h
 */
export function decodeStatx(words: Uint32Array): Stat {
  const mode = words[7]! & 0xffff;
  return {
    type: TYPES[mode & S_IFMT] ?? "socket",
    mode: mode & 0o7777,
    links: words[4]!,
    uid: words[5]!,
    gid: words[6]!,
    inode: words[9]! * TWO_32 + words[8]!,
    size: words[11]! * TWO_32 + words[10]!,
    changed: words[25]! * TWO_32 + words[24]! + words[26]! / 1e9,
    major: words[32]!,
    minor: words[33]!,
    device: words[34]! * DEVICE_RADIX + words[35]!,
  };
}

/** Combines a device number into one integer. */
const oneNumber = (major: number, minor: number): number => major * DEVICE_RADIX + minor;

/**
 * Decodes newfstatat(2)'s `struct stat`, for kernels before 4.11.
 *
 * @see arch/x86/include/uapi/asm/stat.h and include/uapi/asm-generic/stat.h in the Linux source
 */
export function decodeStat(view: DataView, arch: Arch): Stat {
  const at =
    arch === "x64"
      ? { links: 16, mode: 24, uid: 28, gid: 32, rdev: 40 }
      : { links: 20, mode: 16, uid: 24, gid: 28, rdev: 32 };
  const mode = view.getUint32(at.mode, true);
  const rdev = deviceNumber(view, at.rdev);
  const device = deviceNumber(view, 0);
  return {
    type: fileType(mode),
    mode: mode & 0o7777,
    links: view.getUint32(at.links, true),
    uid: view.getUint32(at.uid, true),
    gid: view.getUint32(at.gid, true),
    inode: u64(view, 8),
    size: u64(view, 48),
    changed: u64(view, 104) + view.getUint32(112, true) / 1e9,
    major: rdev.major,
    minor: rdev.minor,
    device: oneNumber(device.major, device.minor),
  };
}

/** Decodes a 64-bit `dev_t`. @see makedev(3) */
function deviceNumber(view: DataView, at: number): { major: number; minor: number } {
  const low = view.getUint32(at, true);
  const high = view.getUint32(at + 4, true);
  return {
    major: ((low >>> 8) & 0xfff) | (high & ~0xfff),
    minor: (low & 0xff) | ((low >>> 12) & ~0xff),
  };
}

/** Offset of the descriptor in `control`. */
export const CMSG_DATA = 16;
const CMSG_LENGTH = CMSG_DATA + 4;
const CMSG_SPACE = 24;
const MESSAGE_BYTES = 56;

/** A message for sendmsg(2) or recvmsg(2), and the arrays that it points to, which must stay reachable. */
interface DescriptorMessage {
  readonly message: Uint8Array;
  readonly control: Uint8Array;
  readonly parts: readonly Uint8Array[];
}

/**
 * Returns a `struct msghdr` with one byte of data and room for one descriptor. The layout is the same on both machines.
 *
 * struct msghdr: name, u32 length of the name, iov at 16, count at 24, control at 32, its length at 40, flags at 48.
 * struct cmsghdr: u64 length, s32 level, s32 type.
 *
 * @param fd the sender's number of the descriptor.
 * @see unix(7), SCM_RIGHTS
 */
export function descriptorMessage(address: (bytes: Uint8Array) => number, fd: number): DescriptorMessage {
  const data = new Uint8Array(1);
  const iov = new Uint8Array(16);
  const iovView = new DataView(iov.buffer);
  iovView.setBigUint64(0, BigInt(address(data)), true);
  iovView.setBigUint64(8, BigInt(data.length), true);

  const control = new Uint8Array(CMSG_SPACE);
  const controlView = new DataView(control.buffer);
  controlView.setBigUint64(0, BigInt(CMSG_LENGTH), true);
  controlView.setInt32(8, SOL_SOCKET, true);
  controlView.setInt32(12, SCM_RIGHTS, true);
  controlView.setInt32(CMSG_DATA, fd, true);

  const message = new Uint8Array(MESSAGE_BYTES);
  const view = new DataView(message.buffer);
  view.setBigUint64(16, BigInt(address(iov)), true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, BigInt(address(control)), true);
  view.setBigUint64(40, BigInt(CMSG_SPACE), true);
  return { message, control, parts: [data, iov, control] };
}
