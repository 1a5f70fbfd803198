import type { Argv } from "yargs";
import { discoverManifestEntries } from "../../discover/board/discover-board.ts";
import { generateManifest } from "../../discover/generate-manifest.ts";
import { readManifest, readManifests } from "../../manifest/read-manifests.ts";
import { EXIT } from "../../model/errors.ts";
import type { Finding } from "../../model/finding.ts";
import { machineOf } from "../../model/machine.ts";
import { renderFinding } from "../../render/render-finding.ts";
import { renderEntries, renderLint } from "../../render/render-plan.ts";
import {
  absolutePath,
  type Choose,
  CONFIG_OPTION,
  type CommandContext,
  JSON_OPTION,
  textOption,
} from "../command.ts";
import { entryStates, readHost } from "../read-host.ts";

interface GenerateArguments {
  readonly patterns: readonly string[];
  readonly root?: string | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** Prints the manifest of an installed tree. */
function runManifestGenerate(context: CommandContext, args: GenerateArguments): number {
  const { host, print } = context;
  const named = absolutePath(host, args.root ?? "/");
  print(generateManifest(host, host.realPath(named) ?? named, args.patterns, args.exclude ?? []));
  return EXIT.done;
}

interface LintArguments {
  readonly files?: readonly string[] | undefined;
  readonly config?: string | undefined;
}

/** Prints the findings about manifests. Returns status 1 when one of them is a warning. */
function runManifestLint(context: CommandContext, { files = [], config }: LintArguments): number {
  const findings: Finding[] = [];
  const report = (found: Finding): void => void findings.push(found);
  const specs =
    files.length > 0
      ? files.flatMap((file) => readManifest(context.host, absolutePath(context.host, file), report))
      : readManifests(context.host, readHost(context, config).manifestDirectory, "all", report);
  context.print(renderLint({ specs, findings }));
  return findings.some(({ severity }) => severity === "warning") ? EXIT.failed : EXIT.done;
}

interface ManifestListArguments {
  readonly missing: boolean;
  readonly config?: string | undefined;
  readonly json: boolean;
}

/**
 * Prints the entries of the manifests that are read, and whether the host has what each one names. It works
 * without a loaded driver, and on hosts that do not use manifests.
 */
function runManifestList(context: CommandContext, args: ManifestListArguments): number {
  const { host, system, print } = context;
  const { loaded, manifests, manifestDirectory } = readHost(context, args.config);
  const { specs } = manifests;
  const findings: Finding[] = [];
  const entries = {
    host,
    specs,
    driverRoot: loaded.config.nvidiaContainerCli.root,
    alternateRoots: loaded.config.nvoci.alternateRoots,
    triplet: machineOf(system.arch).triplet,
    isMultiarch: () => true,
  };
  discoverManifestEntries(entries, (found) => findings.push(found));
  const all = entryStates(specs, findings);
  const shown = args.missing ? all.filter(({ found }) => !found) : all;
  const document = shown.map(({ spec, found }) => ({ ...spec, found }));
  if (args.json) print([JSON.stringify(document, null, 2)]);
  else if (specs.length > 0) print(renderEntries(shown));
  else print([`no entries are read from ${manifestDirectory}`, ...manifests.findings.map(renderFinding)]);
  return EXIT.done;
}

/** Adds `manifest lint`, `manifest list` and `manifest generate`. */
export const addManifest = (yargs: Argv, choose: Choose): Argv =>
  yargs.command("manifest", "check, list or generate CSV mount manifests", (command) =>
    command
      .demandCommand(1, "no action given")
      .command(
        "lint [files..]",
        "check the lines of manifests; exit status 1 if there are warnings",
        (lint) =>
          lint
            .positional("files", {
              type: "string",
              array: true,
              describe: "manifests; default: all in the host's manifest directory",
            })
            .option("config", CONFIG_OPTION),
        (args) => choose((context) => runManifestLint(context, args)),
      )
      .command(
        "list",
        "print the entries of the manifests that are read, and whether the host has them",
        (list) =>
          list
            .option("missing", {
              type: "boolean",
              default: false,
              describe: "print only what the host lacks",
            })
            .option("config", CONFIG_OPTION)
            .option("json", JSON_OPTION),
        (args) => choose((context) => runManifestList(context, args)),
      )
      .command(
        "generate <patterns..>",
        "print a manifest of an installed tree: one line for each path that a pattern matches",
        (generate) =>
          generate
            .positional("patterns", {
              type: "string",
              array: true,
              demandOption: true,
              describe: "paths below the tree's root, with wildcards",
            })
            .option("root", textOption("root", "the tree's root directory; default: /"))
            .option("exclude", {
              type: "string",
              array: true,
              nargs: 1,
              describe: "pattern of names (or, with a slash, of paths) to leave out; may be repeated",
            }),
        (args) => choose((context) => runManifestGenerate(context, args)),
      ),
  );
