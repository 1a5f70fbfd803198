import { loadConfig } from "../config/load-config.ts";
import { discover } from "../discover/discover.ts";
import type { Finding } from "../model/finding.ts";
import { type Arch, machineOf } from "../model/machine.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import type { FileType, HostView, ImageView } from "../model/views.ts";
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
interface DecisionInput {
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

/** Asks for every GPU and every part of the driver. */
const ASKS = ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=all"];

/**
 * An unprivileged container that asks for everything, for questions that no real container goes with.
 *
 * @param env further variables, `NAME=value`; they come after the ones that ask, so that they can replace them.
 * @param rootfs its root directory. Default: the host's own root, which is named and never looked into.
 */
export function imaginaryContainer(env: readonly string[] = [], rootfs: HostPath = hostPath("/")): Spec {
  return {
    root: { path: rootfs },
    env: [...ASKS, ...env],
    user: { uid: 0, gid: 0 },
    boundingCapabilities: [],
    mounts: [],
    devices: [],
    userNamespace: false,
    mountLabel: undefined,
  };
}

const ELF_MAGIC = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46);

/** What most images have, as far as anybody asks. */
const DEBIAN_TREE: Readonly<Record<string, FileType>> = {
  "/etc/debian_version": "file",
  "/proc/driver/nvidia": "directory",
  "/sbin/ldconfig": "file",
  "/usr/lib": "directory",
};

/** What most images look like, for questions that no image goes with. */
export const DEBIAN_IMAGE: ImageView = {
  readFile: () => undefined,
  readRange: (path, offset, length) =>
    path === "/sbin/ldconfig" ? ELF_MAGIC.subarray(offset, offset + length) : undefined,
  readDirectory: () => [],
  type: (path) => DEBIAN_TREE[path],
  identity: (path) => (path in DEBIAN_TREE ? path : undefined),
};
