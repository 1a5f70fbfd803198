import type { Config, LdconfigChoice } from "../config/config.ts";
import { type Finding, finding } from "../model/finding.ts";
import type { HostView } from "../model/host-view.ts";
import { containerPath, hostPath } from "../model/paths.ts";
import type { ContainerFacts } from "./container-facts.ts";
import { ELF_HEAD_BYTES, isStaticElf } from "./static-elf.ts";

/**
 * Chooses the ldconfig that refreshes the container's cache: the host's, `NAME.real` before NAME because Debian's
 * derivatives have a script under the plain name. The container's own is a program of the image: it is run only where
 * the host has none that can be used and the configuration allows it.
 *
 * A host's program has to be static: below the container's root a dynamic one would run the image's libraries.
 *
 * @returns no choice when there is no ldconfig that may be run or the configuration turns it off.
 */
export function chooseLdconfig(
  host: HostView,
  config: Config,
  container: ContainerFacts,
): { ldconfig: LdconfigChoice | undefined; findings: Finding[] } {
  if (!config.nvoci.ldconfig) return { ldconfig: undefined, findings: [] };
  const configured = config.nvidiaContainerCli.ldconfig;
  if (configured.from === "container") return { ldconfig: configured, findings: [] };

  const findings: Finding[] = [];
  for (const path of [hostPath(`${configured.path}.real`), configured.path]) {
    const real = host.realPath(path);
    const head = real && host.readRange(real, 0, ELF_HEAD_BYTES);
    if (real === undefined || head === undefined) continue;
    if (isStaticElf(head)) return { ldconfig: { from: "host", path: real }, findings: [] };
    findings.push(
      finding("ldconfig-unusable", "warning", "nvidia-container-cli.ldconfig", {
        path,
        reason: "not-static",
      }),
    );
  }
  const own = config.features.allowLdconfigFromContainer ? container.ldconfig : undefined;
  if (own === undefined) return { ldconfig: undefined, findings };
  const path = containerPath(own);
  findings.push(finding("ldconfig-container-own", "info", "nvidia-container-cli.ldconfig", { path }));
  return { ldconfig: { from: "container", path }, findings };
}
