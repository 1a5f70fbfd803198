import { decodeLdCache } from "../../ldcache/decode-ld-cache.ts";
import { attempt } from "../../model/errors.ts";
import type { Machine } from "../../model/machine.ts";
import { type HostPath, hostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import { isNamed } from "./match-name.ts";

/** Directories of libraries that a host's ld.so.cache need not list. */
const directories = ({ triplet }: Machine): readonly string[] => [
  ...[`/usr/lib/${triplet}`, "/usr/lib64", "/usr/lib", "/usr/local/lib", "/usr/local/cuda/lib64"],
  ...["/usr/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu/nvidia", "/usr/lib/aarch64-linux-gnu/tegra"],
];

/** Finds a file of the host by its path or, for a library, by its name: in ld.so.cache, then in the usual directories. */
export function searchHost(host: HostView, machine: Machine, name: string): HostPath | undefined {
  if (name.startsWith("/")) return host.lstat(hostPath(name)) === undefined ? undefined : hostPath(name);
  const bytes = attempt(() => host.readFile(hostPath("/etc/ld.so.cache")));
  const cached = bytes instanceof Uint8Array ? attempt(() => decodeLdCache(bytes)) : [];
  const entries = Array.isArray(cached) ? cached : [];
  const found = entries.find(
    (entry) => isNamed(entry.name, name) && host.realPath(hostPath(entry.path)) !== undefined,
  );
  if (found !== undefined) return hostPath(found.path);
  for (const directory of new Set(directories(machine))) {
    const file = (host.readDirectory(hostPath(directory)) ?? []).find((one) => isNamed(one, name));
    if (file !== undefined) return hostPath(`${directory}/${file}`);
  }
  return undefined;
}
