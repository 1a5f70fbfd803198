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
  "cdi-name": "it is not a complete CDI device name",
  "imex-channel": "it is not an IMEX channel number",
  "control-character": "it contains control characters",
} as const;

const NO_SETUP = {
  "user-namespace": "is in a user namespace, which allows neither",
  "not-root": "does not run as root",
} as const;

/**
 * The sentence for each finding: the problem, then what to do about it if there is anything to do. No other file
 * words findings.
 */
const WORDING: Wording = {
  "manifest-line-malformed": ({ line }) =>
    `${quote(line)} is not "TYPE, PATH"; write, for example, "lib, /usr/lib/libx.so"`,
  "manifest-type-unknown": ({ type }) => `${quote(type)} is not an entry type; use dev, dir, lib or sym`,
  "manifest-path-empty": ({ type }) => `the ${type} entry has no path`,
  "manifest-path-relative": ({ path }) => `${quote(path)} is not absolute; start it with a slash`,
  "manifest-path-invalid": ({ path, reason }) => `${quote(path)} cannot be a path: ${INVALID_PATH[reason]}`,
  "manifest-path-root": ({ type }) => `the ${type} entry names the root directory itself`,
  "manifest-empty": ({ file }) => `${quote(file)} is empty`,
  "manifest-not-a-file": ({ file }) => `${quote(file)} is not a regular file; skipped`,
  "manifest-unreadable": ({ file, reason }) => `${quote(file)} cannot be read: ${reason}`,
  "manifest-skipped-not-base": ({ file }) =>
    `${quote(file)} is not read: only l4t.csv, drivers.csv and devices.csv are; to read all manifests, set NVIDIA_REQUIRE_JETPACK=csv-mounts=all in the image, or csv-mounts = "all" under [nvoci] in config.toml`,
  "manifest-directory-missing": ({ directory }) =>
    `the manifest directory ${quote(directory)} does not exist`,
  "manifest-writable-by-others": ({ path }) =>
    `${quote(path)} is not used because every user may write to it; run: chmod o-w ${quote(path)}`,
  "entry-missing": ({ type, path }) => `the host has no ${quote(path, 4096)} (${type}); skipped`,
  "entry-no-match": ({ type, pattern }) =>
    `nothing on the host matches ${quote(pattern, 4096)} (${type}); skipped`,
  "entry-duplicate": ({ path, first }) => `${quote(path, 4096)} is already provided by ${first}`,
  "entry-wrong-type": ({ type, path, found }) =>
    `${quote(path, 4096)} is a ${found}, which a ${type} entry cannot be; skipped`,
  "entry-dangling": ({ path, target }) =>
    `the link ${quote(path, 4096)} leads to ${quote(target, 4096)}, which does not exist; skipped`,
  "entry-is-directory": ({ type, path }) =>
    `${quote(path, 4096)} is a directory and is mounted as one, although the entry type is ${type}`,
  "entry-unreadable": ({ type, path, reason }) =>
    `${quote(path, 4096)} (${type}) cannot be looked up: ${reason}; skipped`,
  "device-already-given": ({ path }) => `the runtime itself creates the device ${quote(path)}`,
  "request-denied-unprivileged": ({ variable, value }) =>
    `${variable}=${quote(value)} is ignored: the container is unprivileged and accept-nvidia-visible-devices-envvar-when-unprivileged is false`,
  "request-volume-mount-ignored": ({ destination, reason }) =>
    `the device mount ${quote(destination)} is ignored: ${IGNORED_MOUNT[reason]}`,
  "config-key-unknown": ({ file, key }) => `${file} has the unknown key ${quote(key)}, which has no effect`,
  "config-value-replaced": ({ file, key, value, used }) =>
    `${file} sets ${key} to ${quote(value)}, which is not supported; ${quote(used)} is used`,
  "config-swarm-resource-unseen": ({ file, variable }) =>
    `${file} names the swarm resource ${quote(variable)}, which Docker swarm never sets; its variables start with DOCKER_RESOURCE_`,
  "container-read-only": ({ path }) =>
    `the image's ${quote(path)} is not writable, so its ld.so.cache is not updated; programs may need LD_LIBRARY_PATH`,
  "container-directory-in-the-way": ({ path }) =>
    `the image has a directory with content at ${quote(path, 4096)}, where the container needs something else; the directory is kept`,
  "container-file-in-the-way": ({ path }) =>
    `the image has a file at ${quote(path, 4096)}, which must be a directory; the entry is skipped`,
  "container-mount-in-the-way": ({ path }) =>
    `a volume or another mount is at ${quote(path, 4096)}, where the container needs something else; the mount is kept`,
  "container-mount-shared": ({ path }) =>
    `${quote(path, 4096)} is in a volume with shared propagation, so a mount there would appear on the host too; the entry is skipped`,
  "container-limit": ({ what }) => `the image's ${what} exceeds nvoci's limits; the rest of it is ignored`,
  "musl-path-unusable": ({ path }) =>
    `the image's ${quote(path)} is larger than 64 KiB or not UTF-8 and stays as it is; programs may need LD_LIBRARY_PATH`,
  "findings-left-out": ({ count }) => `${count} more findings of this kind are not shown`,
  "container-volume-untouched": ({ path }) =>
    `${quote(path, 4096)} would have to be created in a volume or another mount, which nvoci never changes; the entry is skipped`,
  "container-place-refused": ({ path }) =>
    `the container's root user may not create ${quote(path, 4096)}; the entry is skipped`,
  "container-leftover": ({ call }) =>
    `a file of the image that was set aside is still there under another name: ${call}`,
  "container-no-etc": () =>
    "the image has no /etc, so it gets no ld.so.cache; programs may need LD_LIBRARY_PATH",
  "ldconfig-container-own": ({ path }) =>
    `the host has no usable ldconfig; the image's own ${quote(path)} runs in a sandbox`,
  "ldconfig-unusable": ({ path }) =>
    `${quote(path)} is not a static program, so it cannot be run for a container`,
  "ldconfig-none": ({ links }) =>
    `the host has no usable ldconfig; ${links} SONAME links are created instead, and programs may need LD_LIBRARY_PATH`,
  "ldconfig-failed": ({ reason }) =>
    `ldconfig failed: ${reason}; the container keeps its ld.so.cache, and programs may need LD_LIBRARY_PATH`,
  "ldcache-missing": ({ file }) => `the host has no ${quote(file)}; the standard directories are searched`,
  "ldcache-invalid": ({ file, reason }) =>
    `${quote(file)} cannot be used: ${reason}; the standard directories are searched`,
  "driver-library-missing": ({ name, capability }) => `the driver has no ${name} (${capability}); skipped`,
  "driver-library-stale": ({ name, path }) =>
    `ld.so.cache maps ${name} to ${quote(path)}, which does not exist; run ldconfig on the host`,
  "driver-library-other-version": ({ name, path, version }) =>
    `${quote(path)} is not the ${name} of the running driver ${version}; skipped`,
  "driver-library-unlisted": ({ names }) =>
    `nvoci does not know ${names.map((name) => quote(name)).join(", ")} of the running driver; containers with compute or graphics get them`,
  "driver-library-unreadable": ({ path, reason }) => `${quote(path)} cannot be used: ${reason}; skipped`,
  "gpu-information-incomplete": ({ path, field }) => `${quote(path)} does not report ${quote(field)}`,
  "gpu-excluded": ({ path }) => `the driver excludes the GPU of ${quote(path)}`,
  "host-setup-failed": ({ reason }) => `missing device nodes are not created: ${reason}`,
  "host-setup-skipped": ({ reason }) =>
    `kernel modules are not loaded and device nodes are not created: this process ${NO_SETUP[reason]}`,
  "kernel-module-not-loaded": ({ module, reason }) =>
    `the kernel module ${module} cannot be loaded: ${reason}`,
  "driver-not-loaded": () => "the driver's kernel modules are not loaded, so no device nodes are created",
  "device-number-unknown": ({ path, driver }) =>
    `${quote(path)} is not created: the kernel has no device number for ${quote(driver)}`,
  "device-node-unmanaged": ({ path }) =>
    `${quote(path)} is missing and is not created: the driver's parameters forbid programs to create it`,
  "device-node-not-made": ({ path, reason }) => `${quote(path)} cannot be created: ${reason}`,
  "requirement-unchecked": ({ variable, term }) =>
    `${variable}: ${quote(term)} cannot be checked on this host and is assumed to hold`,
};

/** Returns a finding as one line: its source (a line, a key or an entry), then the sentence. */
export function renderFinding({ source, code, args }: Finding): string {
  return `${source}: ${(WORDING[code] as (values: unknown) => string)(args)}`;
}
