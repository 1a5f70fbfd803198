/** The JavaScript engine's own `require`, which the build puts here. Each part gets one, as in CommonJS. */
declare const nvociRequire: (name: string) => unknown;

/** A part of the program, which is loaded only when it is needed; see build/bundle.ts. */
type BundleName =
  | "hook"
  | "server"
  | "soname"
  | "compat"
  | "setup"
  | "config"
  | "cli"
  | "runtime"
  | "wrapper"
  | "runtimes"
  | "documents";

/** Loads a part. Functions that accept it as an argument can be tested without a build. */
export type LoadBundle = <Exports>(name: BundleName) => Exports;

/**
 * Returns the exports of another part, and runs it the first time. `Exports` is a type such as
 * `typeof import("./hook/inject.ts")`, so that the caller's part does not contain the other one. It works only in a
 * built program; tests import the modules directly.
 *
 * @throws {ReferenceError} (native) or Error (Node.js) when the build lacks the part.
 */
export const loadBundle: LoadBundle = <Exports>(name: BundleName): Exports =>
  nvociRequire(`./${name}.cjs`) as Exports;
