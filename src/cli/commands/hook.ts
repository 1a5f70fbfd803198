import type { Argv } from "yargs";
import { NvociError } from "../../model/errors.ts";
import type { Choose } from "../command.ts";

/** Lists the hook among the commands. It is run before this command line is read, so nothing of it is here. */
export const addHook = (yargs: Argv, choose: Choose): Argv =>
  yargs.command(
    "hook <stage>",
    "inject the driver into the container whose OCI state is on standard input",
    (command) => command.positional("stage", { type: "string", describe: "prestart, createRuntime, ..." }),
    () =>
      choose(() => {
        throw new NvociError("usage", 'Cannot run the hook: "hook" must be the first word', {
          hint: "see nvoci hook --help",
        });
      }),
  );
