import { createHash } from "node:crypto";
import { BuildError, isRunnable, type RunOptions, run } from "./run.ts";

/** Runs a compiler and returns its output. */
export type Compile = (args: readonly string[], options?: RunOptions) => string;

export interface Compiler {
  readonly compile: Compile;
  /** A text that differs for different compilers. */
  readonly identity: string;
}

const HOST: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/** The machine this build runs on, as `uname -m` prints it. */
export const hostArch: string = HOST[process.arch] ?? process.arch;

const CROSS: Readonly<Record<string, string>> = {
  x86_64: "x86_64-linux-gnu-gcc",
  aarch64: "aarch64-linux-gnu-gcc",
};

/**
 * Returns the C compiler for an architecture: $CC, cc, or Debian's cross compiler.
 *
 * @throws BuildError when there is none.
 */
export function compiler(arch: string): Compiler {
  const command = process.env.CC || (arch === hostArch ? "cc" : CROSS[arch]);
  if (!command)
    throw new BuildError(`Cannot compile for "${arch}": use one of ${Object.keys(CROSS).join(", ")}`);
  const [program = ""] = command.split(" ");
  if (!isRunnable(program))
    throw new BuildError(`Cannot compile for "${arch}": the C compiler "${program}" is missing`);
  return compilerOf(command);
}

/** Returns the compiler for tools that run on this machine. Ignores $CC. */
export function hostCompiler(): Compiler {
  const program = process.env.HOSTCC || "cc";
  if (!isRunnable(program)) throw new BuildError(`Cannot compile: the C compiler "${program}" is missing`);
  return compilerOf(program);
}

/** @param command a program and its first arguments. */
function compilerOf(command: string): Compiler {
  const [program = "", ...leading] = command.split(" ");
  const compile: Compile = (args, options) => run(program, [...leading, ...args], options);
  return { compile, identity: `${command} ${compile(["--version"])} ${compile(["-dumpmachine"])}` };
}

/** Returns a short digest of everything that determines an object file. */
export function fingerprint(...parts: readonly (string | readonly string[])[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 12);
}
