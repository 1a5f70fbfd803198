import { FEATURE_PARTS, FIRMWARE, PROGRAM_DIRECTORIES, PROGRAMS, SOCKETS } from "../../driver/facts/files.ts";
import { bindMount, type DeviceNode, type Mount, type MountOption } from "../../model/container-edits.ts";
import { finding } from "../../model/finding.ts";
import { below, containerPath, hostPath } from "../../model/paths.ts";
import { readText } from "../../model/views.ts";
import { FEATURE_VARIABLES } from "../../request/driver-capabilities.ts";
import { type Finder, findNode, type Server } from "./server.ts";

/** Returns the first answer. */
function firstOf<T>(
  directories: readonly string[],
  ask: (directory: string) => T | undefined,
): T | undefined {
  for (const directory of directories) {
    const answer = ask(directory);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** Finds the driver's programs. In the container, all of them are in /usr/bin. */
export const programs: Finder<Server> = ({ root, capabilities, report }) => {
  const mounts: Mount[] = [];
  // Most hosts lack most programs, and have fewer directories than names of directories.
  const directories = root.existing(PROGRAM_DIRECTORIES);
  for (const [name, capability] of PROGRAMS) {
    if (!capabilities.has(capability)) continue;
    const source = `program ${name}`;
    const real = firstOf(directories, (directory) => root.resolve(`${directory}/${name}`));
    if (real !== undefined) mounts.push(bindMount("file", real, containerPath(`/usr/bin/${name}`), source));
    else report(finding("entry-missing", "info", source, { type: "program", path: name }));
  }
  return { mounts };
};

/**
 * Finds the firmware that the user-space driver loads into the GPU's system processor. The container gets it in
 * /lib/firmware/nvidia/VERSION, where the driver looks.
 *
 * @see https://docs.kernel.org/driver-api/firmware/fw_search_path.html
 */
export const firmware: Finder<Server> = ({ host, root, version, report }) => {
  const textOf = (file: string): string => (readText(host, hostPath(file)) ?? "").trim();
  const release = textOf(FIRMWARE.release);
  const directories = [
    textOf(FIRMWARE.parameter),
    ...FIRMWARE.directories.map((directory) => directory.replace("*", release)),
  ];
  for (const directory of directories.filter((name) => name.startsWith("/"))) {
    const place = `${directory}/nvidia/${version}`;
    const mounts = root
      .list(place)
      .filter((name) => FIRMWARE.names.test(name))
      .flatMap((name) => {
        const real = root.resolve(`${place}/${name}`);
        const path = containerPath(`${FIRMWARE.target}/nvidia/${version}/${name}`);
        return real === undefined ? [] : [bindMount("file", real, path, `firmware ${name}`)];
      });
    if (mounts.length > 0) return { mounts };
  }
  // Only drivers since 465 have this firmware, and only GPUs since Turing use it.
  const path = `${FIRMWARE.target}/nvidia/${version}/gsp*.bin`;
  report(finding("entry-missing", "info", "GSP firmware", { type: "firmware", path }));
  return {};
};

/** Sockets need write access, and contain no programs. */
const SOCKET_OPTIONS: readonly MountOption[] = ["nosuid", "nodev", "noexec"];

/** Finds the sockets of the driver's services. Most hosts run none of them. */
export const sockets: Finder<Server> = ({ root, config, capabilities, report }) => {
  const mounts: Mount[] = [];
  const add = (path: string, kind: "socket" | "directory"): void => {
    const source = `socket ${path}`;
    // Anyone can write to /tmp, and a link there could name any directory of the host: links are not followed.
    const real = below(root.root, path);
    const found = root.host.lstat(real)?.type;
    if (found === kind) mounts.push(bindMount(kind, real, containerPath(path), source, SOCKET_OPTIONS));
    else if (found === undefined) report(finding("entry-missing", "info", source, { type: "socket", path }));
    else report(finding("entry-wrong-type", "warning", source, { type: "socket", path, found }));
  };
  for (const { path, capability } of SOCKETS) if (capabilities.has(capability)) add(path, "socket");
  if (capabilities.has("compute")) add(config.nvidiaContainerCli.mpsPipeDirectory, "directory");
  return { mounts };
};

/** Finds the nodes and files of features. All of them are optional. */
export const features: Finder<Server> = (server) => {
  const { host, root, nodeRoot, request, report } = server;
  const deviceNodes: DeviceNode[] = [];
  const mounts: Mount[] = [];
  for (const feature of request.serverFeatures) {
    const { directory, names: shown, devices, files = [] } = FEATURE_PARTS[feature];
    const source = FEATURE_VARIABLES[feature];
    const names = (host.readDirectory(below(nodeRoot, directory)) ?? []).filter((name) => devices.test(name));
    for (const name of names.sort()) {
      const node = findNode(server, `${directory}/${name}`, source);
      if (node !== undefined) deviceNodes.push(node);
    }
    if (names.length === 0) {
      report(finding("entry-missing", "warning", source, { type: "dev", path: `${directory}/${shown}` }));
    }
    for (const [kind, path] of files) {
      const real = root.resolve(path);
      if (real !== undefined) mounts.push(bindMount(kind, real, containerPath(path), source));
      else report(finding("entry-missing", "info", source, { type: kind, path }));
    }
  }
  return { deviceNodes, mounts };
};
