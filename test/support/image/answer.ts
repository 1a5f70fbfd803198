import { compileLinked, type LinkedProgram } from "../../../fixtures/run/linked-program.ts";

/** Compiles a library whose SONAME is `libanswer.so.1`, and a program that is linked to it and prints 42. */
export const compileAnswer = (): LinkedProgram => compileLinked("answer", "libanswer.so.1", 42);
