const refuse = (): never => {
  throw new Error("Cannot print through yargs: give .parse() a callback and write what it hands over");
};

/** In the place of the global of that name, which QuickJS lacks: yargs prints nothing by itself. */
export const console = { log: refuse, error: refuse, warn: refuse };
