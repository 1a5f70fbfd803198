import { DEFAULT_CONFIG } from "../../../src/config/config.ts";
import {
  type RequestPolicy,
  type ResolvedRequest,
  resolveRequest,
} from "../../../src/request/resolve-request.ts";

/** What differs from an unprivileged container without mounts under the default configuration. */
export interface Asking {
  readonly mounts?: readonly string[];
  readonly capabilities?: readonly string[];
  readonly policy?: Partial<RequestPolicy>;
}

/** Resolves the request of a container; `mounts` are destinations of `/dev/null`. */
export function ask(env: readonly string[], asking: Asking = {}): ResolvedRequest {
  return resolveRequest(
    {
      env,
      mounts: (asking.mounts ?? []).map((destination) => ({ destination, source: "/dev/null" })),
      boundingCapabilities: asking.capabilities ?? [],
    },
    { ...DEFAULT_CONFIG, ...asking.policy },
  );
}

export const PRIVILEGED: Asking = { capabilities: ["CAP_KILL", "CAP_SYS_ADMIN"] };
export const ALL = "NVIDIA_VISIBLE_DEVICES=all";
