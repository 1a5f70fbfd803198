/** Node's name for a processor, which both engines report. */
export type Arch = "x64" | "arm64";

/** Debian's name for a processor and its ABI, and of the directory of their libraries. */
export type Triplet = "aarch64-linux-gnu" | "x86_64-linux-gnu";

/** The names of an ABI: in the library cache, in directories, and in ELF headers. */
export interface Abi {
  /** uname(1)'s name. */
  readonly name: "x86_64" | "i386" | "aarch64" | "arm";
  /** @see https://wiki.debian.org/Multiarch/Tuples */
  readonly triplet: string;
  /** `EM_…` of elf(5). */
  readonly elf: number;
}

/** A machine that runs nvoci. */
export interface Machine extends Abi {
  readonly arch: Arch;
  readonly triplet: Triplet;
  /** Its 32-bit programs, for the driver capability `compat32`. */
  readonly compat32: Abi;
}

const MACHINES: Readonly<Record<Arch, Machine>> = {
  x64: {
    arch: "x64",
    name: "x86_64",
    triplet: "x86_64-linux-gnu",
    elf: 62,
    compat32: { name: "i386", triplet: "i386-linux-gnu", elf: 3 },
  },
  arm64: {
    arch: "arm64",
    name: "aarch64",
    triplet: "aarch64-linux-gnu",
    elf: 183,
    compat32: { name: "arm", triplet: "arm-linux-gnueabihf", elf: 40 },
  },
};

/** Returns the names of a machine. */
export const machineOf = (arch: Arch): Machine => MACHINES[arch];
