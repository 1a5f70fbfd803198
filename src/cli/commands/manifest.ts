import type { Argv } from "yargs";
import type { Choose } from "../command.ts";
import { CONFIG_OPTION, JSON_OPTION } from "../options.ts";
import { runManifestLint } from "./manifest-lint.ts";
import { runManifestList } from "./manifest-list.ts";

/** Adds `manifest lint` and `manifest list`. */
export const addManifest = (yargs: Argv, choose: Choose): Argv =>
  yargs.command("manifest", "check or list CSV mount manifests", (command) =>
    command
      .demandCommand(1, "no action given")
      .command(
        "lint [files..]",
        "print what is wrong with the lines of manifests; exit status 1 when anything is",
        (lint) =>
          lint
            .positional("files", {
              type: "string",
              array: true,
              describe: "manifests; else all of the host's manifest directory",
            })
            .option("config", CONFIG_OPTION),
        (args) => choose((context) => runManifestLint(context, args)),
      )
      .command(
        "list",
        "print the entries of the manifests that are read, and whether the host has them",
        (list) =>
          list
            .option("missing", { type: "boolean", default: false, describe: "only what the host has not" })
            .option("config", CONFIG_OPTION)
            .option("json", JSON_OPTION),
        (args) => choose((context) => runManifestList(context, args)),
      ),
  );
