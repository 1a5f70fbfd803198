import { GBM_BACKEND, WINE, X_MODULES } from "../../driver/facts/files.ts";
import { bindMount, type ContainerEdits, type Link, type Mount } from "../../model/container-edits.ts";
import { basename, below, type ContainerPath, containerPath, type HostPath } from "../../model/paths.ts";
import type { Server } from "./server.ts";

/**
 * Finds what packages install below the directory of the driver's libraries: the allocator's name for GBM, modules of
 * an X server, and NGX for Wine. All are optional.
 *
 * @param hostLibraries the host's directory of the driver's libraries; `undefined` when the container gets none.
 * @param libraries the container's directory of them.
 */
export function besideLibraries(
  server: Server,
  hostLibraries: HostPath | undefined,
  libraries: ContainerPath,
): Partial<ContainerEdits> {
  const { capabilities } = server;
  const beside = hostLibraries === undefined ? undefined : server.root.inside(hostLibraries);
  return {
    links:
      hostLibraries !== undefined && capabilities.has("graphics")
        ? gbmLinks(server, hostLibraries, libraries)
        : [],
    mounts: [
      ...(capabilities.has("display") ? xModules(server, beside) : []),
      ...(beside !== undefined && capabilities.has("ngx") ? wineLibraries(server, beside, libraries) : []),
    ],
  };
}

/** Finds the link by which GBM loads the driver's allocator, if the host has it. */
function gbmLinks({ host }: Server, hostLibraries: HostPath, libraries: ContainerPath): readonly Link[] {
  const text = host.readLink(below(hostLibraries, `/${GBM_BACKEND}`));
  if (text === undefined) return [];
  const path = containerPath(`${libraries}/${GBM_BACKEND}`);
  return [{ containerPath: path, target: `../${basename(text)}`, source: `GBM backend ${GBM_BACKEND}` }];
}

/** Finds each X module in the first directory that has it, under its plain name or that of the driver's version. */
function xModules({ root, version }: Server, beside: string | undefined): readonly Mount[] {
  const own = beside === undefined ? [] : X_MODULES.beside.map((name) => `${beside}/${name}`);
  // Servers have none of them.
  const present = root.existing([...own, ...X_MODULES.directories]);
  const directories = present.flatMap((path) => X_MODULES.places.map((place) => `${path}${place}`));
  const mounts: Mount[] = [];
  for (const name of X_MODULES.names) {
    for (const directory of directories) {
      const path = containerPath(`${directory}/${name}`);
      const real = root.resolve(path) ?? root.resolve(`${path}.${version}`);
      if (real === undefined) continue;
      mounts.push(bindMount("file", real, path, `X module ${path}`));
      break;
    }
  }
  return mounts;
}

function wineLibraries({ root }: Server, beside: string, libraries: ContainerPath): readonly Mount[] {
  const directory = `${beside}/${WINE.directory}`;
  return root
    .list(directory)
    .filter((name) => WINE.names.test(name))
    .flatMap((name) => {
      const real = root.resolve(`${directory}/${name}`);
      const path = containerPath(`${libraries}/${WINE.directory}/${name}`);
      return real === undefined ? [] : [bindMount("file", real, path, `Wine library ${name}`)];
    });
}
