import type { Finding, FindingArguments, FindingCode } from "../model/finding.ts";
import { quote } from "../text/quote.ts";

type Wording = { readonly [C in FindingCode]: (args: FindingArguments[C]) => string };

const INVALID_PATH = {
  "not-utf8": "it is not UTF-8",
  nul: "it contains a NUL character",
  "too-long": "it is longer than 4095 bytes",
} as const;

const IGNORED_MOUNT = {
  "parent-directory": "it leads out of its directory",
  "cdi-name": "it is no complete CDI device name",
  "imex-channel": "it is no IMEX channel number",
  "control-character": "it contains control characters",
} as const;

const NO_SETUP = {
  "user-namespace": "is in a user namespace, where neither can be made",
  "not-root": "is not root's",
} as const;

/**
 * The words for every finding: what is the matter, then what to do about it where something can be done. This is
 * the only place that has them.
 */
const WORDING: Wording = {
  "manifest-line-malformed": ({ line }) =>
    `${quote(line)} is not "TYPE, PATH"; write for example "lib, /usr/lib/libx.so"`,
  "manifest-type-unknown": ({ type }) => `${quote(type)} is no entry type; use dev, dir, lib or sym`,
  "manifest-path-empty": ({ type }) => `the ${type} entry has no path`,
  "manifest-path-relative": ({ path }) => `${quote(path)} is not absolute; begin it with a slash`,
  "manifest-path-invalid": ({ path, reason }) => `${quote(path)} cannot be a path: ${INVALID_PATH[reason]}`,
  "manifest-path-root": ({ type }) => `the ${type} entry names the root directory itself`,
  "manifest-empty": ({ file }) => `${quote(file)} is empty`,
  "manifest-not-a-file": ({ file }) => `${quote(file)} is not a regular file; skipped`,
  "manifest-unreadable": ({ file, reason }) => `${quote(file)} cannot be read: ${reason}`,
  "manifest-skipped-not-base": ({ file }) =>
    `${quote(file)} is not read: only l4t.csv, drivers.csv and devices.csv are; the image asks for all with NVIDIA_REQUIRE_JETPACK=csv-mounts=all, the host with csv-mounts = "all" under [nvoci] in config.toml`,
  "manifest-directory-missing": ({ directory }) => `there is no manifest directory ${quote(directory)}`,
  "manifest-writable-by-others": ({ path }) =>
    `${quote(path)} is not used, because every user may write to it; chmod o-w it`,
  "entry-missing": ({ type, path }) => `the host has no ${quote(path, 4096)} (${type}); skipped`,
  "entry-no-match": ({ type, pattern }) =>
    `nothing on the host matches ${quote(pattern, 4096)} (${type}); skipped`,
  "entry-duplicate": ({ path, first }) => `${quote(path, 4096)} is there already, by ${first}`,
  "entry-wrong-type": ({ type, path, found }) =>
    `${quote(path, 4096)} is a ${found}, which ${type} does not take; skipped`,
  "entry-dangling": ({ path, target }) =>
    `the link ${quote(path, 4096)} leads to ${quote(target, 4096)}, which is not there; skipped`,
  "entry-is-directory": ({ type, path }) =>
    `${quote(path, 4096)} is a directory and mounted as one, although the entry says ${type}`,
  "entry-unreadable": ({ type, path, reason }) =>
    `${quote(path, 4096)} (${type}) cannot be looked up: ${reason}; skipped`,
  "device-already-given": ({ path }) => `the runtime itself makes the device ${quote(path)}`,
  "request-denied-unprivileged": ({ variable, value }) =>
    `${variable}=${quote(value)} is ignored: the container is unprivileged and accept-nvidia-visible-devices-envvar-when-unprivileged is false`,
  "request-volume-mount-ignored": ({ destination, reason }) =>
    `the device mount ${quote(destination)} is ignored: ${IGNORED_MOUNT[reason]}`,
  "config-key-unknown": ({ file, key }) => `${file} has the unknown key ${quote(key)}; it has no effect`,
  "config-value-replaced": ({ file, key, value, used }) =>
    `${file} sets ${key} to ${quote(value)}, which is not supported; ${quote(used)} is used`,
  "config-swarm-resource-unseen": ({ file, variable }) =>
    `${file} names the swarm resource ${quote(variable)}, which docker swarm would not set; it begins its variables with DOCKER_RESOURCE_`,
  "container-read-only": ({ path }) =>
    `the image's ${quote(path)} cannot be written to, so its ld.so.cache stays as it is; programs may need LD_LIBRARY_PATH`,
  "container-directory-in-the-way": ({ path }) =>
    `the image has a directory with content at ${quote(path, 4096)}, where the host has something else; it is left alone`,
  "container-file-in-the-way": ({ path }) =>
    `the image has a file at ${quote(path, 4096)}, where a directory has to be; the entry is skipped`,
  "container-mount-in-the-way": ({ path }) =>
    `a volume or another mount lies at ${quote(path, 4096)}, where the host has something else; it is left alone`,
  "container-mount-shared": ({ path }) =>
    `${quote(path, 4096)} lies in a volume with shared propagation, where it would appear on the host too; the entry is skipped`,
  "container-limit": ({ what }) =>
    `the image's ${what} goes beyond nvoci's bounds; the rest of it is left out`,
  "findings-left-out": ({ count }) => `there are ${count} more findings of this kind`,
  "container-volume-untouched": ({ path }) =>
    `${quote(path, 4096)} would have to be made in a volume or another mount, where nothing is changed; the entry is skipped`,
  "container-place-refused": ({ path }) =>
    `the container's root has no right to make ${quote(path, 4096)}; the entry is skipped`,
  "container-leftover": ({ call }) =>
    `what the image had in the way is still there under another name: ${call}`,
  "container-no-etc": () =>
    "the image has no /etc, so it gets no ld.so.cache; programs may need LD_LIBRARY_PATH",
  "ldconfig-container-own": ({ path }) =>
    `the host has no ldconfig that can be used; the image's own ${quote(path)} is run, confined`,
  "ldconfig-unusable": ({ path }) =>
    `${quote(path)} is not a static program, so it cannot be run for a container`,
  "ldconfig-none": ({ links }) =>
    `the host has no ldconfig that can be used; ${links} SONAME links are made and programs may need LD_LIBRARY_PATH`,
  "ldconfig-failed": ({ reason }) =>
    `ldconfig failed: ${reason}; the container keeps its ld.so.cache, and programs may need LD_LIBRARY_PATH`,
  "ldcache-missing": ({ file }) => `the host has no ${quote(file)}; the standard directories are searched`,
  "ldcache-invalid": ({ file, reason }) =>
    `${quote(file)} cannot be used: ${reason}; the standard directories are searched`,
  "driver-library-missing": ({ name, capability }) => `the driver has no ${name} (${capability}); skipped`,
  "driver-library-stale": ({ name, path }) =>
    `ld.so.cache says that ${name} is ${quote(path)}, which is not there; run ldconfig on the host`,
  "driver-library-other-version": ({ name, path, version }) =>
    `${quote(path)} is not ${name} of the running driver ${version}; skipped`,
  "driver-library-unreadable": ({ path, reason }) => `${quote(path)} cannot be used: ${reason}; skipped`,
  "gpu-information-incomplete": ({ path, field }) => `${quote(path)} does not tell ${quote(field)}`,
  "gpu-excluded": ({ path }) => `the driver excludes the GPU of ${quote(path)}`,
  "host-setup-failed": ({ reason }) => `missing device nodes are not made: ${reason}`,
  "host-setup-skipped": ({ reason }) =>
    `kernel modules and device nodes are left as they are: this process ${NO_SETUP[reason]}`,
  "kernel-module-not-loaded": ({ module, reason }) =>
    `the kernel module ${module} cannot be loaded: ${reason}`,
  "driver-not-loaded": () => "the driver's kernel modules are not loaded, so no device nodes are made",
  "device-number-unknown": ({ path, driver }) =>
    `${quote(path)} is not made: the kernel has no device number for ${quote(driver)}`,
  "device-node-unmanaged": ({ path }) =>
    `${quote(path)} is missing and not made: the driver's parameters say that no program is to make it`,
  "device-node-not-made": ({ path, reason }) => `${quote(path)} cannot be made: ${reason}`,
  "requirement-unchecked": ({ variable, term }) =>
    `${variable}: ${quote(term)} cannot be checked on this host and is taken to hold`,
};

/** One line about a finding, with the line, key or entry that it is about in front. */
export function renderFinding({ source, code, args }: Finding): string {
  return `${source}: ${(WORDING[code] as (values: unknown) => string)(args)}`;
}
