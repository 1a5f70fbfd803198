import { type Check, check } from "../../model/check.ts";
import { attempt, NvociError } from "../../model/errors.ts";
import { hostPath } from "../../model/paths.ts";
import { type HostView, readText } from "../../model/views.ts";
import { checkDocker } from "./check-docker.ts";
import type { HostFacts } from "./host-facts.ts";
import { findRunning, isSince } from "./processes.ts";
import { findProgram } from "./programs.ts";

/** A container engine other than Docker, which reads files and has no daemon to ask, or none that answers this. */
interface FileEngine {
  /** Its name for `nvoci configure`. */
  readonly name: string;
  readonly program: string;
  /** Other programs by which people use it. Without one of them it serves another engine here. */
  readonly users?: readonly string[];
  /** Files and directories of files that register a runtime or a hook. */
  readonly files: readonly string[];
  /** The command that makes it read them. */
  readonly restart?: string;
}

/** @see containers.conf(5), oci-hooks(5), crio.conf.d(5), and "Runtimes" of containerd's CRI plugin guide */
const ENGINES: readonly FileEngine[] = [
  {
    name: "podman",
    program: "podman",
    files: [
      "/etc/containers/containers.conf",
      "/etc/containers/containers.conf.d",
      "/usr/share/containers/containers.conf",
      "/usr/share/containers/containers.conf.d",
      "/usr/share/containers/oci/hooks.d",
      "/etc/containers/oci/hooks.d",
    ],
  },
  {
    name: "containerd",
    program: "containerd",
    // Docker starts a containerd for itself.
    users: ["kubelet", "nerdctl", "crictl"],
    files: ["/etc/containerd/config.toml", "/etc/containerd/conf.d", "/etc/containerd/config.d"],
    restart: "systemctl restart containerd",
  },
  {
    name: "crio",
    program: "crio",
    files: ["/etc/crio/crio.conf", "/etc/crio/crio.conf.d", "/usr/share/containers/oci/hooks.d"],
    restart: "systemctl restart crio",
  },
];

/** A file that mentions one of nvoci's names registers it. */
const MENTION = /nvidia-container-runtime|\/nvoci/;

const K3S_FILE = hostPath("/var/lib/rancher/k3s/agent/etc/containerd/config.toml");

/** Returns the first file that registers nvoci. A file that cannot be read counts as none. */
function registeredIn(host: HostView, files: readonly string[]): string | undefined {
  const mentions = (file: string): boolean => {
    const text = attempt(() => readText(host, hostPath(file)));
    return typeof text === "string" && MENTION.test(text);
  };
  for (const file of files) {
    const type = host.lstat(hostPath(file))?.type;
    const names = type === "directory" ? attempt(() => host.readDirectory(hostPath(file))) : undefined;
    const inside = names === undefined || names instanceof NvociError ? [] : [...names].sort();
    const found = [
      ...(type === "file" || type === "symlink" ? [file] : []),
      ...inside.map((name) => `${file}/${name}`),
    ].find(mentions);
    if (found !== undefined) return found;
  }
  return undefined;
}

function checkFileEngine(facts: HostFacts, engine: FileEngine): readonly Check[] {
  const { host } = facts;
  const { name, program, users, files, restart } = engine;
  if (findProgram(host, program) === undefined) return [];
  const isForOthers = users !== undefined && findProgram(host, "dockerd") !== undefined;
  if (isForOthers && users.every((user) => findProgram(host, user) === undefined)) return [];
  const file = registeredIn(host, files);
  if (file === undefined) return [check("warn", "engine-unregistered", { engine: name, restart })];
  return restart !== undefined && isUnread(facts, program, file)
    ? [check("warn", "engine-unread", { engine: name, file, restart })]
    : [check("ok", "engine-registered", { engine: name, file })];
}

/** Reports whether a daemon runs since before a file was changed, which it reads only when it starts. */
function isUnread({ host, changed }: HostFacts, program: string, file: string): boolean {
  const running = findRunning(host, program);
  const since = changed(host.realPath(hostPath(file)) ?? hostPath(file));
  return running !== undefined && since !== undefined && isSince(running, since);
}

/** k3s looks for the runtime's program each time it starts, and registers it itself. */
function checkK3s({ host }: HostFacts): readonly Check[] {
  if (findProgram(host, "k3s") === undefined) return [];
  const file = registeredIn(host, [K3S_FILE]);
  return file === undefined
    ? [check("warn", "k3s-unregistered", {})]
    : [check("ok", "engine-registered", { engine: "k3s", file })];
}

/** CDI specifications of NVIDIA's toolkit. Docker 28.2 and podman prefer them to hooks. */
const CDI_FILES = [
  "/etc/cdi/nvidia.yaml",
  "/var/run/cdi/nvidia.yaml",
  "/etc/cdi/nvidia.json",
  "/var/run/cdi/nvidia.json",
];

const checkCdi = ({ host }: HostFacts): readonly Check[] =>
  CDI_FILES.filter((path) => {
    const text = attempt(() => readText(host, hostPath(path), 1 << 24));
    return typeof text === "string" && !text.includes("nvoci");
  }).map((path) => check("warn", "cdi-foreign", { path }));

/** Checks how each container engine on this host starts containers that request GPUs. */
export function checkEngines(facts: HostFacts): readonly Check[] {
  const found = [
    ...checkDocker(facts),
    ...ENGINES.flatMap((engine) => checkFileEngine(facts, engine)),
    ...checkK3s(facts),
    ...checkCdi(facts),
  ];
  return found.length === 0 ? [check("ok", "engines-none", {})] : found;
}
