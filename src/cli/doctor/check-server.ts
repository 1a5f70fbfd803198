import { driverNodeRoot } from "../../driver/device-nodes.ts";
import { readDriverVersion } from "../../driver/driver-version.ts";
import { readGpus } from "../../driver/gpus.ts";
import { setUpHost } from "../../host-setup/set-up-host.ts";
import { type Check, check } from "../../model/check.ts";
import { NvociError } from "../../model/errors.ts";
import { basename, below, type HostPath, hostPath } from "../../model/paths.ts";
import { readText } from "../../model/views.ts";
import type { Operation } from "../../plan/operation.ts";
import { checkLibrary } from "./check-library.ts";
import { checkMode } from "./check-nodes.ts";
import type { HostFacts } from "./host-facts.ts";
import { type DriverPart, installDriver, reinstall } from "./packages.ts";

/** Libraries that every program with CUDA loads, or that tells it which GPUs there are. */
const LIBRARIES: readonly { readonly stem: string; readonly name: string; readonly part: DriverPart }[] = [
  { stem: "libcuda.so", name: "libcuda.so.1", part: "cuda" },
  { stem: "libnvidia-ml.so", name: "libnvidia-ml.so.1", part: "utility" },
];

/** Nodes that libcuda opens besides those of GPUs. */
const NODES = ["/dev/nvidiactl", "/dev/nvidia-uvm"];

/** Checks a server's driver: its kernel modules, its GPUs, and what no container can do without. */
export function checkServer(facts: HostFacts): readonly Check[] {
  const { host, decision } = facts;
  const version = readDriverVersion(host);
  if (version === undefined) return [checkInstalled(facts)];
  const mismatch =
    decision instanceof NvociError && decision.code === "driver-mismatch" ? decision : undefined;
  return [
    check("ok", "driver-loaded", { version }),
    ...(readGpus(host, () => {}).length === 0 ? [check("fail", "gpu-none", {})] : []),
    ...(mismatch === undefined
      ? checkLibraries(facts, version)
      : [check("fail", "driver-mismatch", { message: mismatch.message })]),
    ...checkNodes(facts),
  ];
}

/** The modules of a kernel and what they depend on, a line each. @see depmod(8) */
const MAX_MODULES_BYTES = 16 << 20;

/** Reports whether modules that are not loaded are installed. Where no list of modules says so, they may be. */
function checkInstalled({ host }: HostFacts): Check {
  const release = readText(host, hostPath("/proc/sys/kernel/osrelease"))?.trim() ?? "";
  const modules = readText(host, hostPath(`/lib/modules/${release}/modules.dep`), MAX_MODULES_BYTES);
  return modules === undefined || /\/nvidia\.ko[^/]*:/.test(modules)
    ? check("fail", "driver-missing", {})
    : check("fail", "driver-absent", { release, install: installDriver(host) });
}

function checkLibraries({ host, machine, files }: HostFacts, version: string): readonly Check[] {
  if (files instanceof NvociError) return [];
  const given = (stem: string): Operation | undefined =>
    files.operations.find(
      (operation) => operation.op === "bind-file" && basename(operation.path).startsWith(stem),
    );
  const absent = LIBRARIES.filter(({ stem }) => given(stem) === undefined);
  const found = absent.map(({ stem }) => findFile({ host, machine }, `${stem}.${version}`));
  if (absent.length === LIBRARIES.length && found.every((path) => path === undefined)) {
    return [check("fail", "libraries-none", { version, install: reinstall(host, "cuda", version) })];
  }
  return LIBRARIES.flatMap(({ stem, name, part }) => {
    const install = reinstall(host, part, version);
    const operation = given(stem);
    if (operation?.op === "bind-file") return checkLibrary(host, operation.hostPath, machine, install);
    const path = findFile({ host, machine }, `${stem}.${version}`);
    if (path === undefined) {
      return [check("fail", "library-missing", { name, path: `${stem}.${version}`, install })];
    }
    // ldconfig does not list a damaged file either.
    const faults = checkLibrary(host, path, machine, install);
    return faults.length > 0 ? faults : [check("fail", "library-uncached", { name, path })];
  });
}

/** Finds a file that ld.so.cache does not list, in the directories of libraries. */
const findFile = (
  { host, machine }: Pick<HostFacts, "host" | "machine">,
  name: string,
): HostPath | undefined =>
  [`/usr/lib/${machine.triplet}`, "/usr/lib64", "/usr/lib"]
    .map((directory) => hostPath(`${directory}/${name}`))
    .find((path) => host.lstat(path) !== undefined);

/**
 * Checks the nodes. A missing node that the next start of a container creates is a warning: programs on the host itself
 * do not see the GPU until then.
 */
function checkNodes({ host, report, system }: HostFacts): readonly Check[] {
  const { config } = report.loaded;
  const { root, loadKmods } = config.nvidiaContainerCli;
  const nodeRoot = driverNodeRoot(host, root);
  const nodes = [...NODES, ...readGpus(host, () => {}).map(({ minor }) => `/dev/nvidia${minor}`)];
  const paths = nodes.map((path) => below(nodeRoot, path));
  const isThere = (path: HostPath): boolean => host.lstat(path)?.type === "character-device";
  const missing = paths.filter((path) => !isThere(path));
  const closed = paths.filter(isThere).flatMap((path) => checkMode(host, path));
  const setup = {
    moduleRoot: root,
    deviceRoot: nodeRoot,
    modules: ["nvidia", "nvidia-uvm"] as const,
    load: false,
    imexChannels: [],
    devChar: false,
  };
  const actions = loadKmods && missing.length > 0 ? setUpHost(system, host, setup, () => {}, true) : [];
  const absent = missing.map((path) =>
    actions.some((action) => action.do === "make-node" && action.path === path)
      ? check("warn", "node-later", { path })
      : check("fail", "node-missing", { path, alternatives: [], remedy: "create" }),
  );
  return [...absent, ...closed];
}
