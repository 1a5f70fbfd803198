import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "./run-command.ts";

/** A shared object with one function, and a program that is linked to it by its SONAME alone. */
export interface Answer {
  /** Path of the shared object; its SONAME is `libanswer.so.1`. */
  readonly library: string;
  /** Path of the program: prints what the function returns, 42. It needs glibc. */
  readonly program: string;
}

const DIRECTORY = join(import.meta.dirname, "../../.cache/test/answer");

/** Compiles both once. */
export function compileAnswer(): Answer {
  const answer = { library: join(DIRECTORY, "libanswer.so.1"), program: join(DIRECTORY, "ask-answer") };
  if (existsSync(DIRECTORY)) return answer;
  const partial = `${DIRECTORY}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  const at = (name: string): string => join(partial, name);
  writeFileSync(at("answer.c"), "int answer(void) { return 42; }\n");
  writeFileSync(
    at("ask.c"),
    '#include <stdio.h>\nint answer(void);\nint main(void) { return printf("%d\\n", answer()) < 0; }\n',
  );
  const compile = (...words: string[]) =>
    mustRun([process.env.CC ?? "gcc", "-O1", "-Wall", "-Werror", ...words]);
  compile("-shared", "-fPIC", "-Wl,-soname,libanswer.so.1", "-o", at("libanswer.so.1"), at("answer.c"));
  compile("-o", at("ask-answer"), at("ask.c"), at("libanswer.so.1"));
  renameSync(partial, DIRECTORY);
  return answer;
}
