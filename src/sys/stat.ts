import type { FileType } from "../model/host-view.ts";
import type { Arch } from "../model/machine.ts";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from "./constants.ts";
import type { Stat } from "./syscalls.ts";

/** Written out, because QuickJS computes a power each time. */
const TWO_32 = 0x1_0000_0000;

const TYPES: Readonly<Record<number, FileType>> = {
  [S_IFREG]: "file",
  [S_IFDIR]: "directory",
  [S_IFLNK]: "symlink",
  [S_IFCHR]: "character-device",
  [S_IFBLK]: "block-device",
  [S_IFIFO]: "fifo",
};

const fileType = (mode: number): FileType => TYPES[mode & S_IFMT] ?? "socket";

/** Inode numbers and sizes above 2^53 lose their last bits; nothing here compares those exactly. */
const u64 = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true);

/**
 * Decodes `struct statx`, from the words of the machine, which is little-endian. This is called twice for every entry
 * of a manifest: reading words is several times as fast as a DataView, and a function for each word would double it.
 *
 * @see statx(2), include/uapi/linux/stat.h
 */
export function decodeStatx(words: Uint32Array): Stat {
  const mode = words[7]! & 0xffff;
  return {
    type: fileType(mode),
    mode: mode & 0o7777,
    links: words[4]!,
    uid: words[5]!,
    gid: words[6]!,
    inode: words[9]! * TWO_32 + words[8]!,
    size: words[11]! * TWO_32 + words[10]!,
    changed: words[25]! * TWO_32 + words[24]! + words[26]! / 1e9,
    major: words[32]!,
    minor: words[33]!,
    device: oneNumber(words[34]!, words[35]!),
  };
}

/** Minors have 20 bits. */
const oneNumber = (major: number, minor: number): number => major * 0x10_0000 + minor;

/**
 * Decodes `struct stat` as newfstatat(2) fills it, for kernels before 4.11.
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

/** Takes a 64-bit `dev_t` apart. @see makedev(3) */
function deviceNumber(view: DataView, at: number): { major: number; minor: number } {
  const low = view.getUint32(at, true);
  const high = view.getUint32(at + 4, true);
  return {
    major: ((low >>> 8) & 0xfff) | (high & ~0xfff),
    minor: (low & 0xff) | ((low >>> 12) & ~0xff),
  };
}
