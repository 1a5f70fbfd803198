import { readManifest, readManifests } from "../../manifest/read-manifests.ts";
import { EXIT } from "../../model/errors.ts";
import type { Finding } from "../../model/finding.ts";
import { renderLint } from "../../render/render-lint.ts";
import { absolutePath } from "../absolute-path.ts";
import type { CommandContext } from "../command.ts";
import { readHost } from "../read-host.ts";

interface LintArguments {
  readonly files?: readonly string[] | undefined;
  readonly config?: string | undefined;
}

/** Prints the findings of the given manifests; status 1 when one of them is a warning. */
export function runManifestLint(context: CommandContext, { files = [], config }: LintArguments): number {
  const findings: Finding[] = [];
  const report = (found: Finding): void => void findings.push(found);
  const specs =
    files.length > 0
      ? files.flatMap((file) => readManifest(context.host, absolutePath(context.host, file), report))
      : readManifests(context.host, readHost(context, config).manifestDirectory, "all", report);
  context.print(renderLint({ specs, findings }));
  return findings.some(({ severity }) => severity === "warning") ? EXIT.failed : EXIT.done;
}
