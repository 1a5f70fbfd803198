import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { root } from "../../build/root.ts";
import { mustRun } from "./run-command.ts";

const CACHE = join(root, ".cache/test");

/**
 * Compiles one C file into a static program, once per content.
 *
 * @returns absolute path of the program.
 */
export function compileC(source: string, flags: readonly string[] = []): string {
  const digest = createHash("sha256").update(readFileSync(source)).update(flags.join(" ")).digest("hex");
  const program = join(CACHE, `${basename(source, ".c")}-${digest.slice(0, 12)}`);
  if (existsSync(program)) return program;
  mkdirSync(CACHE, { recursive: true });
  const partial = `${program}.${process.pid}`;
  mustRun([process.env.CC ?? "gcc", "-O1", "-Wall", "-Werror", "-static", "-o", partial, source, ...flags]);
  renameSync(partial, program);
  return program;
}
