import type { Mount } from "../model/container-edits.ts";
import type { HostView } from "../model/host-view.ts";
import { below, type ContainerPath, containerPath, hostPath, isWithin } from "../model/paths.ts";
import { decodeUtf8 } from "../model/utf8.ts";

const LIBRARY_NAME = /^lib.*\.so(?:\.|$)/;

/** Where CUDA and its like keep their libraries below their own directory. */
const SUBDIRECTORIES = ["lib64", "lib"];

/** Names of the files in /etc/ld.so.conf.d that the packages of the driver and of CUDA bring. */
const DRIVER_CONFIGURATION = /(?:nvidia|cuda|tegra).*\.conf$/i;

/** Directories that the host's own ld.so.conf.d names for the driver and CUDA. */
function configuredDirectories(host: HostView): string[] {
  const directory = hostPath("/etc/ld.so.conf.d");
  const names = (host.readDirectory(directory) ?? []).filter((name) => DRIVER_CONFIGURATION.test(name));
  return names.sort().flatMap((name) => {
    const text = decodeUtf8(host.readFile(below(directory, `/${name}`), 1 << 16) ?? new Uint8Array()) ?? "";
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
    if (names.some((name) => LIBRARY_NAME.test(name))) folders.push(mount.containerPath);
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
