import { discoverManifestEntries } from "../../discover/board/discover-board.ts";
import { EXIT } from "../../model/errors.ts";
import type { Finding } from "../../model/finding.ts";
import { machineOf } from "../../model/machine.ts";
import { renderEntries } from "../../render/render-entries.ts";
import { renderFinding } from "../../render/render-finding.ts";
import type { CommandContext } from "../command.ts";
import { entryStates } from "../entry-states.ts";
import { readHost } from "../read-host.ts";

interface ManifestListArguments {
  readonly missing: boolean;
  readonly config?: string | undefined;
  readonly json: boolean;
}

/**
 * Prints the entries of the manifests that are read, each with whether the host has what it names. Whether a driver
 * is loaded, and whether this host uses manifests at all, does not matter.
 */
export function runManifestList(context: CommandContext, args: ManifestListArguments): number {
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
