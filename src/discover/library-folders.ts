import type { Mount } from "../model/container-edits.ts";
import type { HostView } from "../model/host-view.ts";
import { below, type ContainerPath, containerPath } from "../model/paths.ts";

const LIBRARY_NAME = /^lib.*\.so(?:\.|$)/;

/** Where CUDA and its like keep their libraries below their own directory. */
const SUBDIRECTORIES = ["lib64", "lib"];

/**
 * Finds the directories with libraries in whole mounted directories: the directory itself, or `lib64` or `lib` in it.
 * Nothing deeper is looked at.
 */
export function libraryFolders(host: HostView, mounts: readonly Mount[]): ContainerPath[] {
  const folders: ContainerPath[] = [];
  for (const mount of mounts) {
    if (mount.kind !== "directory") continue;
    const names = host.readDirectory(mount.hostPath) ?? [];
    if (names.some((name) => LIBRARY_NAME.test(name))) folders.push(mount.containerPath);
    for (const name of SUBDIRECTORIES) {
      if (!names.includes(name) || host.readDirectory(below(mount.hostPath, `/${name}`)) === undefined)
        continue;
      folders.push(containerPath(`${mount.containerPath}/${name}`));
    }
  }
  return folders;
}
