import type { Manifest } from "../../manifest/parse-manifest.ts";
import { readManifest, readManifests } from "../../manifest/read-manifests.ts";
import { EXIT } from "../../model/errors.ts";
import type { HostView } from "../../model/host-view.ts";
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
  const manifest = files.length > 0 ? readNamed(context.host, files) : readAllOfHost(context, config);
  context.print(renderLint(manifest));
  return manifest.findings.some(({ severity }) => severity === "warning") ? EXIT.failed : EXIT.done;
}

const readAllOfHost = (context: CommandContext, config: string | undefined): Manifest =>
  readManifests(context.host, readHost(context, config).manifestDirectory, "all");

function readNamed(host: HostView, files: readonly string[]): Manifest {
  const read = files.map((file) => readManifest(host, absolutePath(host, file)));
  return { specs: read.flatMap(({ specs }) => specs), findings: read.flatMap(({ findings }) => findings) };
}
