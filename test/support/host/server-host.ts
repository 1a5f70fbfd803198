import { CONTROL_DEVICES, type GpuFacts, gpuText, versionText } from "../../../fixtures/host/driver-facts.ts";
import { hostPath } from "../../../src/model/paths.ts";
import type { HostView } from "../../../src/model/views.ts";
import { FLAGS, ldCacheBytes, type MadeEntry } from "./ld-cache-bytes.ts";
import { memoryHost } from "./memory-host.ts";

/** The content of a fake server. */
export interface MadeServer {
  /** Version of the kernel modules; `undefined` if none is loaded. */
  readonly modules?: string | undefined;
  /** File names in the library directory, with the SONAME that a link and the cache have for each. */
  readonly libraries?: Readonly<Record<string, string>>;
  /** The same for 32-bit libraries. */
  readonly libraries32?: Readonly<Record<string, string>>;
  readonly gpus?: readonly GpuFacts[];
  /** Root of the driver's files, but not of the kernel's. Default `/`. */
  readonly root?: string;
  /** Additional entries of the cache. */
  readonly staleEntries?: readonly MadeEntry[];
  /** Whether the host has a cache. Default true. */
  readonly cache?: boolean;
  /** More lines of the tree. */
  readonly tree?: readonly string[];
  /** Contents that are not text. */
  readonly bytes?: Readonly<Record<string, Uint8Array>>;
}

export const LIBRARIES = "/usr/lib/x86_64-linux-gnu";
const LIBRARIES32 = "/usr/lib/i386-linux-gnu";

/** Returns a server with the NVIDIA driver, in memory. */
export function serverHost(server: MadeServer): HostView {
  const { modules, libraries = {}, libraries32 = {}, gpus = [], root = "", tree = [] } = server;
  const lines: string[] = [...tree];
  const entries: MadeEntry[] = [...(server.staleEntries ?? [])];
  const addLibraries = (files: Readonly<Record<string, string>>, directory: string, flags: number): void => {
    for (const [file, soname] of Object.entries(files)) {
      lines.push(`file ${root}${directory}/${file} 0644 = ${JSON.stringify(file)}`);
      if (soname !== file) lines.push(`symlink ${root}${directory}/${soname} -> ${file}`);
      entries.push({ name: soname, path: `${directory}/${soname}`, flags });
    }
  };
  addLibraries(libraries, LIBRARIES, FLAGS.x86_64);
  addLibraries(libraries32, LIBRARIES32, FLAGS.i386);
  if (modules !== undefined) {
    lines.push(`file /proc/driver/nvidia/version 0444 = ${JSON.stringify(versionText(modules))}`);
  }
  for (const gpu of gpus) lines.push(...gpuLines(gpu));

  const bytes = new Map<string, Uint8Array>(Object.entries(server.bytes ?? {}));
  if (server.cache !== false) {
    entries.sort((a, b) => (a.name < b.name ? 1 : -1));
    bytes.set(`${root}/etc/ld.so.cache`, ldCacheBytes(entries));
  }
  return withBytes(
    memoryHost([...lines, ...[...bytes.keys()].filter(isNew(lines)).map((path) => `file ${path}`)]),
    bytes,
  );
}

const isNew =
  (lines: readonly string[]) =>
  (path: string): boolean =>
    !lines.some((line) => line.split(" ")[1] === path);

const gpuLines = (gpu: GpuFacts): string[] => [
  `file /proc/driver/nvidia/gpus/${gpu.busId}/information 0444 = ${JSON.stringify(gpuText(gpu))}`,
  `char /dev/nvidia${gpu.minor} 195:${gpu.minor} 0666`,
];

/** Returns a host with binary content for some files. */
export function withBytes(host: HostView, bytes: ReadonlyMap<string, Uint8Array>): HostView {
  const content = (path: string): Uint8Array | undefined => bytes.get(host.realPath(hostPath(path)) ?? path);
  return {
    ...host,
    readFile: (path, limit) => content(path) ?? host.readFile(path, limit),
    readRange: (path, offset, length) =>
      content(path)?.subarray(offset, offset + length) ?? host.readRange(path, offset, length),
  };
}

/** The nodes that every driver creates. */
export const CONTROL_NODES: readonly string[] = Object.entries(CONTROL_DEVICES).map(
  ([path, [major, minor]]) => `char ${path} ${major}:${minor} 0666`,
);
