import type { Argv } from "yargs";
import { NvociError } from "../../model/errors.ts";
import type { Choose } from "../command.ts";

/** Lists the wrapper among the commands. It is run before this command line is read, so nothing of it is here. */
export const addRuntime = (yargs: Argv, choose: Choose): Argv =>
  yargs.command(
    "runtime [words..]",
    "run as a low-level runtime: give the container what it asks for, and become runc",
    (command) => command.positional("words", { type: "string", array: true, describe: "as for runc" }),
    () =>
      choose(() => {
        throw new NvociError("usage", 'Cannot run the runtime: "runtime" must be the first word');
      }),
  );
