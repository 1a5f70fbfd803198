/** The build puts the engine's own `require` here; both engines give each bundle one, as CommonJS does. */
declare const nvociRequire: (name: string) => unknown;

/** A part of the program that is read only when it is needed: a bundle of its own, see build/bundle.ts. */
type BundleName =
  | "hook"
  | "server"
  | "soname"
  | "setup"
  | "config"
  | "cli"
  | "runtime"
  | "wrapper"
  | "runtimes"
  | "documents";

/** How a part is reached; what takes it as an argument can be tested without bundles. */
export type LoadBundle = <Exports>(name: BundleName) => Exports;

/**
 * Gives the exports of another bundle, running it the first time. `Exports` is
 * `typeof import("./hook/inject.ts")`: a type only, so that nothing is bundled twice. It works in a built program
 * alone; a test imports the part itself.
 *
 * @throws ReferenceError (native) or Error (Node.js) when the build has no such bundle
 */
export const loadBundle: LoadBundle = <Exports>(name: BundleName): Exports =>
  nvociRequire(`./${name}.cjs`) as Exports;
