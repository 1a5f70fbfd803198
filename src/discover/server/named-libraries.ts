import { bindMount, type ContainerEdits, type Mount } from "../../model/container-edits.ts";
import { basename, type ContainerPath, containerPath, dirname, join } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import { decodeUtf8 } from "../../text/utf8.ts";
import type { ServerAndImage } from "./server.ts";

/** The longest of NVIDIA's has a kilobyte. */
const MAX_BYTES = 8000;

/** How many links lead to a file at most: `libcuda.so`, `libcuda.so.1`. */
const MAX_LINKS = 8;

/** The member by which the loaders of Vulkan, Vulkan SC and EGL find a driver, a layer or a platform. */
const LIBRARY_PATH = /"library_path"\s*:\s*"([^"\\]{1,4095})"/g;

/**
 * Finds the libraries that configuration files name by path instead of by SONAME, and mounts each at that path too, if
 * the container's library directory is another one. RPM packages write `/usr/lib64/libGLX_nvidia.so.0`, NixOS and Guix
 * a path in their store. The file in the container stays the host's own, and the loaders find what it names.
 *
 * Only libraries that the container gets anyway, under that name, are mounted. A loader treats a path with a slash as
 * relative to its file, and any other text as a SONAME.
 *
 * @param edits all edits so far.
 * @param directory the container's directory of the driver's 64-bit libraries.
 * @see https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md
 * @see https://registry.khronos.org/OpenCL/extensions/khr/cl_khr_icd.txt
 */
export function namedLibraries(
  { host, image }: ServerAndImage,
  edits: ContainerEdits,
  directory: ContainerPath,
): readonly Mount[] {
  const given = new Set<string>([...edits.mounts, ...edits.links].map((edit) => edit.containerPath));
  const here = image.identity(directory);
  const mounts: Mount[] = [];
  let libraries: ReadonlyMap<string, Mount> | undefined;
  for (const file of edits.mounts) {
    for (const text of pathsNamedIn(host, file)) {
      const path = containerPath(join(dirname(file.containerPath), text));
      if (given.has(path)) continue;
      given.add(path);
      // One name of a directory that has two, such as /lib64 and /usr/lib64, is enough.
      if (here !== undefined && image.identity(dirname(path)) === here) continue;
      libraries ??= librariesByName(edits, directory);
      const library = libraries.get(basename(path));
      if (library !== undefined) mounts.push(bindMount("file", library.hostPath, path, file.source));
    }
  }
  return mounts;
}

/** Returns the texts with a slash by which a configuration file names libraries. */
function pathsNamedIn(host: HostView, { kind, containerPath: path, hostPath }: Mount): readonly string[] {
  const isList = path.endsWith(".icd");
  if (kind !== "file" || !(isList || path.endsWith(".json"))) return [];
  const text = decodeUtf8(host.readRange(hostPath, 0, MAX_BYTES) ?? new Uint8Array()) ?? "";
  const named = isList ? text.split("\n") : [...text.matchAll(LIBRARY_PATH)].map(([, name = ""]) => name);
  return named.map((name) => name.trim()).filter((name) => name.includes("/"));
}

/** Returns the mounts of libraries in a directory of the container by all their names there. */
function librariesByName(edits: ContainerEdits, directory: ContainerPath): ReadonlyMap<string, Mount> {
  const files = new Map<string, Mount>();
  for (const mount of edits.mounts) {
    if (mount.kind === "file" && dirname(mount.containerPath) === directory)
      files.set(basename(mount.containerPath), mount);
  }
  const targets = new Map<string, string>();
  for (const { containerPath: path, target } of edits.links) {
    if (dirname(path) === directory) targets.set(basename(path), target);
  }
  for (const name of targets.keys()) {
    let end: string | undefined = name;
    for (let steps = 0; end !== undefined && !files.has(end) && steps < MAX_LINKS; steps++)
      end = targets.get(end);
    const file = end === undefined ? undefined : files.get(end);
    if (file !== undefined) files.set(name, file);
  }
  return files;
}
