import { ENGINE_WORDS } from "./engine-words.ts";
import { renderFinding } from "./render-finding.ts";
import { counted, showPath } from "./text.ts";
import { type CheckWording, hinted, NO_CUDA, optional, SHARED, split } from "./words-for-checks.ts";

/** A hint that is a command. */
const RUN = "run: ";

/** The words of every result: what was found, what it means, and how to mend it. No other file words them. */
export const CHECK_WORDS: CheckWording = {
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

  "release-missing": ({ file, install }) => ({
    text: `platform: this is a Jetson without ${file}`,
    means:
      "its release is unknown: containers get what all manifests list, and requirements of a release are not checked",
    ...optional(install),
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
  ...ENGINE_WORDS,
};
