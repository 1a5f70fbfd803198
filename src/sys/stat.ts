import type { FileType } from "../model/host-view.ts";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from "./constants.ts";
import type { Stat } from "./syscalls.ts";

const TYPES = new Map<number, FileType>([
  [S_IFREG, "file"],
  [S_IFDIR, "directory"],
  [S_IFLNK, "symlink"],
  [S_IFCHR, "character-device"],
  [S_IFBLK, "block-device"],
  [S_IFIFO, "fifo"],
]);

const fileType = (mode: number): FileType => TYPES.get(mode & S_IFMT) ?? "socket";

/** Inode numbers and sizes above 2^53 lose their last bits; nothing here compares those exactly. */
const u64 = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);

/**
 * Decodes `struct statx`, from the words of the machine, which is little-endian. Reading words is several times as fast
 * as a DataView, and this is called for every entry of a manifest.
 *
 * @see statx(2), include/uapi/linux/stat.h
 */
export function decodeStatx(words: Uint32Array): Stat {
  const at = (offset: number): number => words[offset / 4] as number;
  const mode = at(28) & 0xffff;
  return {
    type: fileType(mode),
    mode: mode & 0o7777,
    uid: at(20),
    gid: at(24),
    inode: at(36) * 2 ** 32 + at(32),
    size: at(44) * 2 ** 32 + at(40),
    changed: at(100) * 2 ** 32 + at(96) + at(104) / 1e9,
    major: at(128),
    minor: at(132),
    device: oneNumber(at(136), at(140)),
  };
}

/** Minors have 20 bits. */
const oneNumber = (major: number, minor: number): number => major * 2 ** 20 + minor;

/**
 * Decodes `struct stat` as newfstatat(2) fills it, for kernels before 4.11.
 *
 * @see arch/x86/include/uapi/asm/stat.h and include/uapi/asm-generic/stat.h in the Linux source
 */
export function decodeStat(view: DataView, arch: "x64" | "arm64"): Stat {
  const at =
    arch === "x64" ? { mode: 24, uid: 28, gid: 32, rdev: 40 } : { mode: 16, uid: 24, gid: 28, rdev: 32 };
  const mode = view.getUint32(at.mode, true);
  const rdev = deviceNumber(view, at.rdev);
  const device = deviceNumber(view, 0);
  return {
    type: fileType(mode),
    mode: mode & 0o7777,
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
