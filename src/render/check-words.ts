import type { CheckArguments, CheckCode, Command } from "../model/check.ts";
import { renderFinding } from "./render-finding.ts";
import { counted, showPath } from "./text.ts";

/** The words for a result. */
export interface Words {
  /** What was found. */
  readonly text: string;
  /** What it means for containers, if that is not in the text. */
  readonly means?: string;
  /** The commands that mend it, one after the other. */
  readonly fix?: readonly Command[];
  /** Further lines: what it is about on request, or what is wrong line by line. */
  readonly details?: readonly string[];
  /** Names that `--verbose` adds. */
  readonly names?: readonly string[];
}

type Wording = { readonly [C in CheckCode]: (args: CheckArguments[C]) => Words };

const optional = (fix: Command | undefined): Pick<Words, "fix"> => (fix === undefined ? {} : { fix: [fix] });
const hinted = (hint: string | undefined): Pick<Words, "means"> =>
  hint === undefined ? {} : { means: hint };

const SHARED = "every container that requests GPUs fails to start";
const NO_CUDA = "programs with CUDA fail in every container";

const configure = (options: Command): Command => ["nvoci", "configure", "docker", ...options];
const split = (command: string): Command => command.split(" ");
/** A hint that is a command. */
const RUN = "run: ";

/** The words of every result: what was found, what it means, and how to mend it. No other file words them. */
export const CHECK_WORDS: Wording = {
  "not-root": () => ({
    text: "this is not root: what only root can read and try is not checked",
    fix: [["sudo", "nvoci", "doctor"]],
  }),
  platform: ({ platform }) => ({ text: `platform: ${platform}` }),

  "config-default": () => ({ text: "configuration: built-in defaults (no config.toml)" }),
  "config-file": ({ file }) => ({ text: `configuration: ${showPath(file)}` }),
  "config-invalid": ({ file, message, hint }) => ({
    text: `configuration: ${message}`,
    means: SHARED,
    fix: [hint?.startsWith(RUN) ? split(hint.slice(RUN.length)) : ["sudoedit", file]],
  }),
  "config-key-unknown": ({ file, key, nearest }) => ({
    text: `configuration: the key ${key} is unknown and has no effect${nearest === undefined ? "" : `; did you mean ${nearest}?`}`,
    fix: [["sudoedit", file]],
  }),
  finding: ({ finding }) => ({ text: renderFinding(finding) }),

  "driver-loaded": ({ version }) => ({ text: `driver: ${version}` }),
  "driver-missing": () => ({
    text: "driver: its kernel modules are not loaded",
    means: SHARED,
    fix: [["nvoci", "system", "create-device-nodes"]],
  }),
  "driver-absent": ({ release, install }) => ({
    text: `driver: none is installed for the kernel ${release}`,
    means: SHARED,
    ...optional(install),
  }),
  "driver-mismatch": ({ message }) => ({
    text: `driver: ${message}`,
    means: `${SHARED} until the host runs the modules of the new driver`,
    fix: [["reboot"]],
  }),
  "gpu-none": () => ({
    text: "driver: it has no GPU",
    means: "the GPU is not on the PCI bus, is held by another driver, or failed when it was initialized",
    fix: [split("dmesg --level=err,warn")],
  }),
  "libraries-none": ({ version, install }) => ({
    text: `libraries: none of the driver ${version} are installed`,
    means: `${NO_CUDA}; the kernel modules alone are not enough`,
    ...optional(install),
  }),

  "release-missing": ({ file, entries, install }) => ({
    text: `platform: this is a Jetson without ${file}: ${counted(entries, "entry", "entries")} of manifests, and no driver of a server`,
    means: `the host is taken for a server, so ${SHARED}`,
    fix: [install ?? ["sudoedit", "/etc/nvidia-container-runtime/config.toml"]],
    details: install === undefined ? ['add: nvidia-container-runtime.mode = "csv"'] : [],
  }),
  "release-mismatch": ({ release, made, example, install }) => ({
    text: `manifests: they are for L4T ${made} (${example}), and this host is R${release}`,
    means: "containers get the wrong files, or none",
    ...optional(install),
  }),
  manifests: ({ directory, entries }) => ({
    text: `manifests: ${counted(entries, "entry", "entries")} in ${showPath(directory)}`,
  }),
  manifest: ({ file, found, missing }) => ({
    text: `${showPath(file)}: ${found} found, ${missing.length} missing on this host`,
    names: missing.map(showPath),
  }),
  "manifests-none": ({ directory, install }) => ({
    text: `manifests: no entries in ${showPath(directory)}`,
    means: "containers get nothing of the driver",
    ...optional(install),
  }),
  "manifests-unreadable": ({ path }) => ({
    text: `manifests: ${showPath(path)} cannot be read`,
    means: "what it lists is not checked",
    fix: [["sudo", "nvoci", "doctor"]],
  }),
  "manifests-writable": ({ path }) => ({
    text: `manifests: ${showPath(path)} is not used, because every user may write to it`,
    means: "containers get nothing that is listed there",
    fix: [["chmod", "o-w", path]],
  }),
  "manifest-lines": ({ file, count, finding }) => ({
    text: `${showPath(file)}: ${counted(count, "line is", "lines are")} ignored; the first: ${renderFinding(finding)}`,
    fix: [["nvoci", "manifest", "lint"]],
  }),

  "library-unlisted": ({ name, found, directory, install }) => ({
    text:
      found === undefined
        ? `libraries: no manifest in ${showPath(directory)} lists ${name}`
        : `libraries: no manifest in ${showPath(directory)} lists ${name}, which the host has at ${showPath(found)}`,
    means: NO_CUDA,
    ...optional(install),
  }),
  "library-missing": ({ name, path, install }) => ({
    text: `libraries: the host has no ${showPath(path)}${path.includes(name) ? "" : ` (${name})`}`,
    means: NO_CUDA,
    ...optional(install),
  }),
  "library-uncached": ({ name, path }) => ({
    text: `libraries: ld.so.cache does not list ${name}, which is at ${showPath(path)}`,
    means: NO_CUDA,
    fix: [["ldconfig"]],
  }),
  "library-empty": ({ path, install }) => ({
    text: `libraries: ${showPath(path)} has 0 bytes`,
    means: `${NO_CUDA}: "file too short"`,
    ...optional(install),
  }),
  "library-damaged": ({ path, reason, install }) => ({
    text: `libraries: ${showPath(path)} cannot be loaded: ${reason}`,
    means: NO_CUDA,
    ...optional(install),
  }),
  "node-missing": ({ path, alternatives, remedy }) => ({
    text: `devices: the host has no ${[path, ...alternatives].map(showPath).join(" or ")}`,
    means:
      "programs in every container start and find no GPU; the driver's modules are not loaded, or failed",
    fix: [remedy === "modprobe" ? ["modprobe", "nvgpu"] : ["nvoci", "system", "create-device-nodes"]],
  }),
  "node-later": ({ path }) => ({
    text: `devices: the host has no ${showPath(path)} yet`,
    means: "the next start of a container with GPUs creates it",
    fix: [["nvoci", "system", "create-device-nodes"]],
  }),
  "node-unlisted": ({ path, directory }) => ({
    text: `devices: no manifest in ${showPath(directory)} lists ${showPath(path)}, which the host has`,
    means: "programs in every container start and find no GPU",
    fix: [["nvoci", "manifest", "lint"]],
  }),
  "node-closed": ({ path, mode }) => ({
    text: `devices: only root can open ${showPath(path)} (mode ${mode.toString(8).padStart(4, "0")})`,
    means: "programs of other users in containers find no GPU",
    fix: [["chmod", "a+rw", path]],
  }),
  devices: ({ nodes, missing }) => ({
    text: `devices: ${counted(nodes.length, "node", "nodes")}${missing === 0 ? "" : `; ${missing} more are listed, which this board lacks`}`,
    names: nodes,
  }),
  "devices-closed": ({ count, groups }) => ({
    text: `devices: ${count} of them are for root and group ${groups.join(", ")}; for other users: docker run ${groups.map((group) => `--group-add ${group}`).join(" ")}`,
  }),

  "plan-made": ({ operations }) => ({
    text: `plan: ${counted(operations, "operation", "operations")} for a container that requests everything`,
  }),
  "plan-impossible": ({ message, hint }) => ({ text: `plan: ${message}`, ...hinted(hint) }),
  "trial-passed": ({ operations }) => ({
    text: `trial: ${counted(operations, "operation", "operations")} done in a namespace of their own`,
  }),
  "trial-failed": ({ message, hint }) => ({ text: `trial: ${message}`, ...hinted(hint) }),
  "trial-skipped": ({ reason }) => ({ text: `trial: left out, because ${reason}` }),

  "ldconfig-host": ({ path }) => ({ text: `ldconfig: the host's ${showPath(path)}` }),
  "ldconfig-image": ({ path }) => ({
    text: `ldconfig: the host has no usable one; images that have ${showPath(path)} run their own in a sandbox`,
  }),
  "ldconfig-missing": () => ({
    text: "ldconfig: the host has no usable one; containers get links for the driver's libraries instead",
    means: "features.allow-ldconfig-from-container = true in config.toml runs the images' own",
  }),
  "ldconfig-none": ({ file }) => ({
    text: "ldconfig: disabled in config.toml",
    means: "programs find the driver's libraries only with LD_LIBRARY_PATH",
    fix: [["sudoedit", file]],
  }),
  cgroup: ({ version }) => ({ text: `cgroups: version ${version}` }),
  "cgroup-none": () => ({
    text: "cgroups: neither version 2 nor a version 1 devices hierarchy is mounted",
    means: `${SHARED}, unless no-cgroups = true is set in config.toml`,
    fix: [split("mount -t cgroup2 cgroup2 /sys/fs/cgroup")],
  }),
  kernel: ({ release, missing }) => ({
    text:
      missing.length === 0
        ? `kernel: ${release} has every system call that nvoci uses`
        : `kernel: ${release} lacks ${missing.join(", ")}; nvoci uses older system calls instead`,
  }),
  "runtime-found": ({ path }) => ({ text: `low-level runtime: ${showPath(path)}` }),
  "runtime-missing": ({ names }) => ({
    text: `low-level runtime: none found; looked for ${names.join(", ")}`,
    means: "the runtime nvidia cannot start containers; install runc or crun",
  }),
  "hook-found": ({ path }) => ({ text: `docker: --gpus uses ${showPath(path)}` }),
  "hook-missing": ({ path, program }) => ({
    text: `docker: ${path} is missing`,
    means: 'docker run --gpus fails: could not select device driver "" with capabilities: [[gpu]]',
    fix: [
      ["ln", "-s", program, path],
      ["systemctl", "restart", "docker"],
    ],
  }),
  "hook-foreign": ({ path, real, program }) => ({
    text: `docker: ${showPath(path)}${real === path ? "" : ` (${showPath(real)})`} is not nvoci`,
    means: "docker run --gpus runs another hook, whatever nvoci's configuration says",
    fix: [["ln", "-sf", program, path]],
  }),

  "engines-none": () => ({ text: "engines: no container engine is installed" }),
  "docker-file-invalid": ({ file, reason }) => ({
    text: `docker: ${showPath(file)}: ${reason}`,
    means: "dockerd does not start with it",
    fix: [["sudoedit", file]],
  }),
  "docker-default-unknown": ({ file, name }) => ({
    text: `docker: ${showPath(file)} makes ${name} the default runtime, which it does not define`,
    means: "dockerd does not start with it",
    fix: [["sudoedit", file]],
  }),
  "docker-runtime": ({ file, path, isDefault, isAsked }) => ({
    text: `docker: ${isAsked ? "dockerd" : showPath(file)} knows the runtime nvidia as ${showPath(path)}${isDefault ? ", the default" : ""}`,
  }),
  "docker-runtime-unregistered": ({ file, options, restart }) => ({
    text: `docker: ${showPath(file)} does not register the runtime nvidia`,
    means: "docker run --runtime nvidia fails: unknown or invalid runtime name: nvidia",
    fix: [configure(options), split(restart)],
  }),
  "docker-runtime-broken": ({ file, path, options, restart }) => ({
    text: `docker: ${showPath(file)} registers the runtime nvidia as ${showPath(path)}, which does not exist`,
    means: "containers of that runtime do not start",
    fix: [configure(options), split(restart)],
  }),
  "docker-runtime-foreign": ({ path, options, restart }) => ({
    text: `docker: the runtime nvidia is ${showPath(path)}, which is not nvoci`,
    means: "nvoci does nothing for containers of that runtime",
    fix: [configure(options), split(restart)],
  }),
  "docker-runtime-unloaded": ({ file }) => ({
    text: `docker: dockerd has not read ${showPath(file)} since the runtime nvidia was registered`,
    means: "docker run --runtime nvidia fails, or uses what was registered before",
    fix: [["systemctl", "reload", "docker"]],
  }),
  "docker-not-default": ({ options, restart }) => ({
    text: "docker: the runtime nvidia is not the default one",
    means: "docker build has no GPU; docker run needs --runtime nvidia or --gpus all",
    fix: [configure(options), split(restart)],
  }),
  "docker-hook-unseen": ({ path, restart }) => ({
    text: `docker: ${showPath(path)} is newer than the running dockerd, which looks for it only when it starts`,
    means:
      'if it was not there before, docker run --gpus fails: could not select device driver "" with capabilities: [[gpu]]',
    fix: [split(restart)],
  }),
  "docker-cgroup-systemd": () => ({
    text: "docker: containers of --gpus lose their devices at each systemctl daemon-reload",
    means: "the runtime nvidia keeps them: Failed to initialize NVML: Unknown Error",
    fix: [["nvoci", "configure", "docker"]],
  }),
  "docker-builds": ({ version }) => ({
    text: `docker: docker build has the driver with DOCKER_BUILDKIT=0; BuildKit${version === undefined ? "" : `, the default since 23 (this is ${version}),`} does not use the default runtime`,
  }),
  "cdi-foreign": ({ path }) => ({
    text: `CDI: ${showPath(path)} describes the GPUs without nvoci`,
    means:
      "podman and docker 28.2 or newer take GPUs from it, and it is stale after an update of the driver: unresolvable CDI devices",
    fix: [["rm", path]],
  }),
  "engine-registered": ({ engine, file }) => ({ text: `${engine}: registered in ${showPath(file)}` }),
  "engine-unregistered": ({ engine, restart }) => ({
    text: `${engine}: nvoci is not registered`,
    means: "its containers get no GPU",
    fix: [["nvoci", "configure", engine], ...(restart === undefined ? [] : [split(restart)])],
  }),
  "k3s-unregistered": () => ({
    text: "k3s: it has no runtime nvidia, which it registers itself when it finds nvidia-container-runtime at its start",
    fix: [["systemctl", "restart", "k3s"]],
  }),

  "container-found": ({ id, pid, given }) => ({
    text: `container: ${id} (process ${pid}) would get ${counted(given, "file, link or device", "files, links and devices")} now`,
  }),
  "container-asks-nothing": ({ id, nearMiss }) => ({
    text: `container: ${id} does not request GPUs${nearMiss === undefined ? "" : `; it sets ${nearMiss}, which nothing reads`}`,
    means: "start it with --gpus all, or with --runtime nvidia and -e NVIDIA_VISIBLE_DEVICES=all",
  }),
  "container-lacks": ({ path }) => ({
    text: `container: it has no ${showPath(path)}`,
    means: "it was started without nvoci, or before the host had it; start it again",
  }),
  "container-stale": ({ path, version }) => ({
    text: `container: ${showPath(path)} is not of the running driver ${version}`,
    means: "the driver was updated since its start: Driver/library version mismatch; start it again",
  }),
  "container-complete": ({ given }) => ({
    text: `container: it has all ${counted(given, "file, link or device", "files, links and devices")}`,
  }),
};
