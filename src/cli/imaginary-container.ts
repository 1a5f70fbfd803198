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
  /** Whether the container requests GPUs and is allowed to have them. */
  readonly asks: boolean;
  readonly operations: readonly Operation[];
  readonly findings: readonly Finding[];
}

/** What a decision depends on, apart from the container's spec. */
interface DecisionInput {
  readonly host: HostView;
  readonly image: ImageView;
  readonly arch: Arch;
  readonly environ: readonly string[];
  /** The value of `--config`. */
  readonly config: string | undefined;
}

/**
 * Plans for a container with the same phases as the hook, but neither sets up the host nor changes anything.
 *
 * @throws {NvociError} any code when the hook would refuse the container.
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

/** Requests every GPU and every part of the driver. */
const ASKS = ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=all"];

/**
 * Returns an unprivileged container that requests everything, for commands that are run without a container.
 *
 * @param env further variables, `NAME=value`; they can override the request.
 * @param rootfs its root directory. Default: the host's root, which is never read.
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

/** The paths of a typical image that discovery looks at. */
const DEBIAN_TREE: Readonly<Record<string, FileType>> = {
  "/etc/debian_version": "file",
  "/proc/driver/nvidia": "directory",
  "/sbin/ldconfig": "file",
  "/usr/lib": "directory",
};

/** A typical image, used when no image is given. */
export const DEBIAN_IMAGE: ImageView = {
  readFile: () => undefined,
  readRange: (path, offset, length) =>
    path === "/sbin/ldconfig" ? ELF_MAGIC.subarray(offset, offset + length) : undefined,
  readDirectory: () => [],
  type: (path) => DEBIAN_TREE[path],
  identity: (path) => (path in DEBIAN_TREE ? path : undefined),
};
