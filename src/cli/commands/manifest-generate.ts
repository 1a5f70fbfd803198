import { generateManifest } from "../../discover/generate-manifest.ts";
import { EXIT } from "../../model/errors.ts";
import { absolutePath } from "../absolute-path.ts";
import type { CommandContext } from "../command.ts";

interface GenerateArguments {
  readonly patterns: readonly string[];
  readonly root?: string | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** Prints the manifest of an installed tree. */
export function runManifestGenerate(context: CommandContext, args: GenerateArguments): number {
  const { host, print } = context;
  const named = absolutePath(host, args.root ?? "/");
  print(generateManifest(host, host.realPath(named) ?? named, args.patterns, args.exclude ?? []));
  return EXIT.done;
}
