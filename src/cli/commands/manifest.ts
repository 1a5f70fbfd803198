import type { Argv } from "yargs";
import type { Choose } from "../command.ts";
import { CONFIG_OPTION, JSON_OPTION, textOption } from "../options.ts";
import { runManifestGenerate } from "./manifest-generate.ts";
import { runManifestLint } from "./manifest-lint.ts";
import { runManifestList } from "./manifest-list.ts";

/** Adds `manifest lint`, `manifest list` and `manifest generate`. */
export const addManifest = (yargs: Argv, choose: Choose): Argv =>
  yargs.command("manifest", "check, list or generate CSV mount manifests", (command) =>
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
      )
      .command(
        "generate <patterns..>",
        "print the manifest of an installed tree: one line for each thing that a pattern matches",
        (generate) =>
          generate
            .positional("patterns", {
              type: "string",
              array: true,
              demandOption: true,
              describe: "paths from the tree's root on, with wildcards",
            })
            .option("root", textOption("root", "the tree's root directory; else /"))
            .option("exclude", {
              type: "string",
              array: true,
              nargs: 1,
              describe: "pattern of names, or of paths with a slash, to leave out; may be repeated",
            }),
        (args) => choose((context) => runManifestGenerate(context, args)),
      ),
  );
