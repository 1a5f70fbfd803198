/** Machines whose libraries the driver is made for, in uname(1)'s words. */
export type Architecture = "x86_64" | "i386" | "aarch64" | "arm";

/** What the second byte of an entry's flags says. Machines that have no NVIDIA driver are left out. */
const ARCHITECTURES: Readonly<Record<number, Architecture>> = {
  0: "i386",
  768: "x86_64",
  2304: "arm",
  2560: "aarch64",
};

const FLAG_ELF = 0x0001;
const FLAG_REQUIRED_MASK = 0xff00;

/**
 * The machine that a cache entry's library runs on; `undefined` for other machines and for what is not ELF.
 *
 * @see glibc sysdeps/generic/ldconfig.h, `FLAG_*`
 */
export const entryArchitecture = (flags: number): Architecture | undefined =>
  flags & FLAG_ELF ? ARCHITECTURES[flags & FLAG_REQUIRED_MASK] : undefined;

/** The machine whose 32-bit programs a 64-bit host runs too, for the capability `compat32`. */
export const COMPAT32 = { x86_64: "i386", aarch64: "arm" } as const;

/** The machines that run nvoci. */
export type HostArchitecture = keyof typeof COMPAT32;
