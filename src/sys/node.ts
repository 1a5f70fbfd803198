/**
 * The entry of the Node.js build: provides the addon's primitives under the name that the native program uses, then
 * runs the same parts. It undoes Node.js' changes to the process, which the low-level runtime would inherit by
 * execve(2).
 */
import { RLIMIT_NOFILE } from "./constants.ts";
import type { Primitives } from "./primitives.ts";
import { syscallNumbers } from "./syscall-numbers.ts";

const EXIT_BUG = 70;
const F_SETFD = 2;

/** Returns a variable that the launcher set, and removes it from the environment so that no child sees it. */
function takeVariable(name: string): string | undefined {
  const value = process.env[name];
  delete process.env[name];
  return value;
}

/** Restores the soft limit of open files. Node.js raises it to the hard limit when it starts. */
function restoreOpenFiles(engine: Primitives, soft: string | undefined): void {
  if (!/^[0-9]+$/.test(soft ?? "")) return;
  const limits = new BigUint64Array(2);
  const bytes = new Uint8Array(limits.buffer);
  if (engine.syscall(syscallNumbers(engine.arch).prlimit64, 0, RLIMIT_NOFILE, null, bytes) < 0) return;
  limits[0] = BigInt(soft as string);
  engine.syscall(syscallNumbers(engine.arch).prlimit64, 0, RLIMIT_NOFILE, bytes, null);
}

/** Makes inherited descriptors inheritable again. Node.js marks them close-on-exec when it starts. */
function restoreInheritance(engine: Primitives, descriptors: string | undefined): void {
  for (const number of descriptors?.match(/[0-9]+/g) ?? []) {
    engine.syscall(syscallNumbers(engine.arch).fcntl, Number(number), F_SETFD, 0);
  }
}

try {
  const argv0 = takeVariable("NVOCI_ARGV0");
  const openFiles = takeVariable("NVOCI_NOFILE");
  const descriptors = takeVariable("NVOCI_FDS");
  // An absolute path: a search would use the environment, which an image may control.
  const addon = { exports: {} as Primitives };
  process.dlopen(addon, `${__dirname}/nvoci.node`);
  const engine: Primitives = {
    ...addon.exports,
    // The launcher, in the same directory as this file.
    program: `${__dirname}/nvoci`,
    argv: [argv0 ?? process.argv[1] ?? "nvoci", ...process.argv.slice(2)],
  };
  restoreOpenFiles(engine, openFiles);
  restoreInheritance(engine, descriptors);
  Object.assign(globalThis, { nvociEngine: engine });
  require("./main.cjs");
} catch (error) {
  const stack =
    error instanceof Error ? `${error.stack}`.split("\n").filter((line) => /^ {4}at /.test(line)) : [];
  require("node:fs").writeSync(2, [`nvoci: bug: ${error}`, ...stack, ""].join("\n"));
  process.exit(EXIT_BUG);
}
