import { generateManifest } from "../../discover/generate-manifest.ts";
import { EXIT } from "../../model/errors.ts";
import { absolutePath } from "../absolute-path.ts";
import type { CommandContext } from "../command.ts";

interface GenerateArguments {
  readonly patterns: readonly string[];
  readonly root: string;
  readonly exclude?: readonly string[] | undefined;
}

/** Prints the manifest of an installed tree. */
export function runManifestGenerate(context: CommandContext, args: GenerateArguments): number {
  const { host, print } = context;
  print(generateManifest(host, absolutePath(host, args.root), args.patterns, args.exclude ?? []));
  return EXIT.done;
}
