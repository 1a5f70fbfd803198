import { hostPath } from "../../../src/model/paths.ts";
import { type ImageView, statThrough } from "../../../src/model/views.ts";
import { memoryHost } from "./memory-host.ts";

/** Returns an image in memory; lines and contents are those of {@link memoryHost}. */
export function memoryImage(tree: string | readonly string[]): ImageView {
  const host = memoryHost(tree);
  const stat = (path: string) => statThrough(host, hostPath(path));
  const isFile = (path: string): boolean => stat(path)?.type === "file";
  return {
    readFile(path, limit) {
      const bytes = isFile(path) ? host.readFile(hostPath(path)) : undefined;
      return bytes?.subarray(0, limit);
    },
    readRange: (path, offset, length) =>
      isFile(path) ? host.readRange(hostPath(path), offset, length) : undefined,
    readDirectory: (path, limit) =>
      stat(path)?.type === "directory" ? (host.readDirectory(hostPath(path)) ?? []).slice(0, limit) : [],
    type: (path, link = "follow") => (link === "itself" ? host.lstat(hostPath(path)) : stat(path))?.type,
    identity: (path) => host.realPath(hostPath(path)),
  };
}

/** The files and directories of Debian's images that nvoci looks for. */
export const DEBIAN_TREE: readonly string[] = [
  "file /etc/debian_version",
  "dir /usr/lib/x86_64-linux-gnu",
  "dir /usr/lib/aarch64-linux-gnu",
  'file /sbin/ldconfig 0755 = "\\u007fELF"',
];
