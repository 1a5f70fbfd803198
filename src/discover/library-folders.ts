import type { ExtraDirectory } from "../config/config.ts";
import { bindMount, type Mount } from "../model/container-edits.ts";
import { finding, type Report } from "../model/finding.ts";
import { below, type ContainerPath, containerPath, hostPath, isWithin } from "../model/paths.ts";
import { type HostView, readText } from "../model/views.ts";
import { isLibraryName } from "./library-places.ts";

const SOURCE = "config.toml: nvoci.directories";

/**
 * Finds the directories that config.toml mounts into each container with a GPU, each at its configured container
 * path. Follows links such as `/opt/cuda/current` on the host. Reports missing directories.
 */
export function extraDirectories(
  host: HostView,
  directories: readonly ExtraDirectory[],
  report: Report,
): readonly Mount[] {
  const mounts: Mount[] = [];
  for (const { host: path, container } of directories) {
    const real = host.realPath(path);
    const found = real && host.lstat(real)?.type;
    if (real === undefined || found === undefined) {
      report(finding("entry-missing", "warning", SOURCE, { type: "dir", path }));
    } else if (found !== "directory") {
      report(finding("entry-wrong-type", "warning", SOURCE, { type: "dir", path, found }));
    } else {
      mounts.push(bindMount("directory", real, container, SOURCE));
    }
  }
  return mounts;
}

/** Subdirectories in which CUDA and similar packages keep their libraries. */
const SUBDIRECTORIES = ["lib64", "lib"];

/** Names of the files that driver and CUDA packages install in /etc/ld.so.conf.d. */
const DRIVER_CONFIGURATION = /(?:nvidia|cuda|tegra).*\.conf$/i;

const MAX_CONFIGURATION_BYTES = 1 << 16;

/** Returns the directories that the host's ld.so.conf.d lists for the driver and CUDA. */
function configuredDirectories(host: HostView): string[] {
  const directory = hostPath("/etc/ld.so.conf.d");
  const names = (host.readDirectory(directory) ?? []).filter((name) => DRIVER_CONFIGURATION.test(name));
  return names.sort().flatMap((name) => {
    const text = readText(host, below(directory, `/${name}`), MAX_CONFIGURATION_BYTES) ?? "";
    return text.split("\n").map((line) => line.replace(/#.*/, "").trim());
  });
}

/**
 * Finds the library directories in mounted directories: the directory itself, and `lib64` and `lib` in it. Finds
 * deeper ones only if the host's ld.so.conf.d lists them.
 */
export function libraryFolders(host: HostView, mounts: readonly Mount[]): ContainerPath[] {
  const folders: ContainerPath[] = [];
  const directories = mounts.filter((mount) => mount.kind === "directory");
  if (directories.length === 0) return [];
  for (const mount of directories) {
    const names = host.readDirectory(mount.hostPath) ?? [];
    if (names.some(isLibraryName)) folders.push(mount.containerPath);
    for (const name of SUBDIRECTORIES) {
      if (!names.includes(name) || host.readDirectory(below(mount.hostPath, `/${name}`)) === undefined)
        continue;
      folders.push(containerPath(`${mount.containerPath}/${name}`));
    }
  }
  for (const configured of configuredDirectories(host)) {
    const real = configured.startsWith("/") ? host.realPath(hostPath(configured)) : undefined;
    const mount = real && directories.find(({ hostPath: shown }) => isWithin(real, shown));
    if (real && mount)
      folders.push(containerPath(`${mount.containerPath}/${real.slice(mount.hostPath.length)}`));
  }
  return folders;
}
