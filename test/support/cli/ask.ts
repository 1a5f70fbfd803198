import { DEFAULT_CONFIG } from "../../../src/config/config.ts";
import type { Finding } from "../../../src/model/finding.ts";
import type { Request } from "../../../src/request/request.ts";
import { type RequestPolicy, resolveRequest } from "../../../src/request/resolve-request.ts";
import { collectFindings } from "./collect-findings.ts";

/** Differences from an unprivileged container without mounts under the default configuration. */
export interface Asking {
  readonly mounts?: readonly string[];
  readonly capabilities?: readonly string[];
  readonly policy?: Partial<RequestPolicy>;
}

/** Resolves a container's request; `mounts` are destinations of `/dev/null`. */
export function ask(
  env: readonly string[],
  asking: Asking = {},
): { readonly request: Request | undefined; readonly findings: readonly Finding[] } {
  const spec = {
    env,
    mounts: (asking.mounts ?? []).map((destination) => ({ destination, source: "/dev/null" })),
    boundingCapabilities: asking.capabilities ?? [],
  };
  const policy = { ...DEFAULT_CONFIG, ...asking.policy };
  const { value: request, findings } = collectFindings((report) => resolveRequest(spec, policy, report));
  return { request, findings };
}

export const PRIVILEGED: Asking = { capabilities: ["CAP_KILL", "CAP_SYS_ADMIN"] };
export const ALL = "NVIDIA_VISIBLE_DEVICES=all";
