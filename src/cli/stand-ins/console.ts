const refuse = (): never => {
  throw new Error("Cannot print through yargs: pass .parse() a callback and write the output it receives");
};

/** Replaces the global `console`, which QuickJS lacks. yargs must not print by itself. */
export const console = { log: refuse, error: refuse, warn: refuse };
