import type { Argv } from "yargs";
import type { Choose } from "../command.ts";
import { CONFIG_OPTION } from "../options.ts";
import { runCreateDeviceNodes } from "./create-device-nodes.ts";

/** Adds `system create-device-nodes`. */
export const addSystem = (yargs: Argv, choose: Choose): Argv =>
  yargs.command("system", "prepare the host itself", (command) =>
    command.demandCommand(1, "no action given").command(
      "create-device-nodes",
      "load the driver's kernel modules and make its device nodes, where they are missing",
      (create) =>
        create
          .option("dry-run", { type: "boolean", default: false, describe: "only print what would be done" })
          .option("no-load-kmods", { type: "boolean", default: false, describe: "load no kernel modules" })
          .option("no-dev-char", { type: "boolean", default: false, describe: "make no links in /dev/char" })
          .option("config", CONFIG_OPTION),
      (args) => choose((context) => runCreateDeviceNodes(context, args)),
    ),
  );
