import type { HostFacts } from "../../../src/cli/doctor/host-facts.ts";
import type { Decision } from "../../../src/cli/imaginary-container.ts";
import { DEFAULT_CONFIG } from "../../../src/config/config.ts";
import type { Platform } from "../../../src/discover/detect-platform.ts";
import type { NvociError } from "../../../src/model/errors.ts";
import { machineOf } from "../../../src/model/machine.ts";
import { hostPath } from "../../../src/model/paths.ts";
import type { Syscalls } from "../../../src/sys/syscalls.ts";
import { memoryHost } from "../host/memory-host.ts";

/** What a check under test sees. */
export interface FactsOptions {
  /** Lines of a tree, see {@link memoryHost}. */
  readonly tree?: readonly string[];
  readonly environ?: readonly string[];
  readonly platform?: Platform;
  readonly decision?: Decision | NvociError;
  /** When files changed, by path. */
  readonly changed?: Readonly<Record<string, number>>;
  /** Answers of services, by socket and path. */
  readonly answers?: Readonly<Record<string, unknown>>;
}

const NOTHING: Decision = { asks: true, operations: [], findings: [] };

/** Makes the input of a check: by default a server without anything. */
export function hostFacts(options: FactsOptions = {}): HostFacts {
  const { tree = [], environ = [], platform = { kind: "server", release: undefined } } = options;
  const decision = options.decision ?? NOTHING;
  return {
    host: memoryHost(tree),
    machine: machineOf("x64"),
    environ,
    isRoot: true,
    self: hostPath("/usr/bin/nvoci"),
    report: {
      loaded: { config: DEFAULT_CONFIG, file: undefined },
      configFindings: [],
      platform,
      usesManifests: platform.kind === "tegra",
      manifestDirectory: hostPath("/etc/d"),
      manifests: { specs: [], findings: [] },
    },
    decision,
    files: decision,
    changed: (path) => options.changed?.[path],
    ask: (socket, path) => options.answers?.[`${socket} ${path}`],
    system: {} as Syscalls,
  };
}
