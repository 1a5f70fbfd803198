import { loadConfig } from "../config/load-config.ts";
import { discover } from "../discover/discover.ts";
import type { Finding } from "../model/finding.ts";
import type { HostView } from "../model/host-view.ts";
import type { ImageView } from "../model/image-view.ts";
import type { Arch } from "../model/machine.ts";
import { machineOf } from "../model/machine.ts";
import type { Spec } from "../oci/spec.ts";
import type { Operation } from "../plan/operation.ts";
import { plan } from "../plan/plan.ts";
import { resolveRequest } from "../request/resolve-request.ts";

/** What the hook would do to a container. */
export interface Decision {
  /** Whether the container asks for anything that it may have. */
  readonly asks: boolean;
  readonly operations: readonly Operation[];
  readonly findings: readonly Finding[];
}

/** What a container is decided by. */
export interface DecisionInput {
  readonly host: HostView;
  readonly image: ImageView;
  readonly arch: Arch;
  readonly environ: readonly string[];
  /** The value of `--config`. */
  readonly config: string | undefined;
}

/**
 * Decides about a container as the hook does, phase by phase, and changes nothing: the host is taken as it is.
 *
 * @throws NvociError when the hook would refuse the container.
 */
export function decide(spec: Spec, { host, image, arch, environ, config: option }: DecisionInput): Decision {
  const findings: Finding[] = [];
  const report = (found: Finding): void => void findings.push(found);
  const { config } = loadConfig(host, environ, option, spec.env, report);
  const request = resolveRequest(spec, config, report);
  if (request === undefined) return { asks: false, operations: [], findings };
  const givenDevices = new Set<string>(spec.devices.map(({ path }) => path));
  const edits = discover({ host, image, machine: machineOf(arch), config, request, givenDevices }, report);
  const operations = plan(edits, { cgroups: !config.nvidiaContainerCli.noCgroups });
  return { asks: true, operations, findings };
}
