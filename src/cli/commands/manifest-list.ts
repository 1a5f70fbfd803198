import { EXIT } from "../../model/errors.ts";
import { renderEntries } from "../../render/render-entries.ts";
import type { CommandContext } from "../command.ts";
import { entryStates } from "../entry-states.ts";
import { imaginaryContainer } from "../imaginary-container.ts";
import { readHost } from "../read-host.ts";

interface ManifestListArguments {
  readonly missing: boolean;
  readonly config?: string | undefined;
  readonly json: boolean;
}

/** Prints the entries of the manifests that are read, each with whether the host has what it names. */
export function runManifestList(context: CommandContext, args: ManifestListArguments): number {
  const { manifests } = readHost(context, args.config);
  const { findings } = context.gather(imaginaryContainer(), undefined, args.config);
  const all = entryStates(manifests.specs, findings);
  const shown = args.missing ? all.filter(({ found }) => !found) : all;
  const document = shown.map(({ spec, found }) => ({ ...spec, found }));
  context.print(args.json ? [JSON.stringify(document, null, 2)] : renderEntries(shown));
  return EXIT.done;
}
