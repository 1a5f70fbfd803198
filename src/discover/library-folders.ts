import type { ExtraDirectory } from "../config/config.ts";
import { bindMount, type Mount } from "../model/container-edits.ts";
import { finding, type Report } from "../model/finding.ts";
import { below, type ContainerPath, containerPath, hostPath, isWithin } from "../model/paths.ts";
import { type HostView, readText } from "../model/views.ts";
import { isLibraryName } from "./library-places.ts";

const SOURCE = "config.toml: nvoci.directories";

/**
 * Finds the whole directories that config.toml gives to each container with a GPU, under a container path of their
 * own. A link such as `/opt/cuda/current` is followed on the host. A directory that is missing is a finding.
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

/** Where CUDA and its like keep their libraries below their own directory. */
const SUBDIRECTORIES = ["lib64", "lib"];

/** Names of the files in /etc/ld.so.conf.d that the packages of the driver and of CUDA bring. */
const DRIVER_CONFIGURATION = /(?:nvidia|cuda|tegra).*\.conf$/i;

const MAX_CONFIGURATION_BYTES = 1 << 16;

/** Directories that the host's own ld.so.conf.d names for the driver and CUDA. */
function configuredDirectories(host: HostView): string[] {
  const directory = hostPath("/etc/ld.so.conf.d");
  const names = (host.readDirectory(directory) ?? []).filter((name) => DRIVER_CONFIGURATION.test(name));
  return names.sort().flatMap((name) => {
    const text = readText(host, below(directory, `/${name}`), MAX_CONFIGURATION_BYTES) ?? "";
    return text.split("\n").map((line) => line.replace(/#.*/, "").trim());
  });
}

/**
 * Finds the directories with libraries in whole mounted directories: the directory itself, or `lib64` or `lib` in it.
 * Deeper ones are found where the host's ld.so.conf.d names them.
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
