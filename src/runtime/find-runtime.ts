import { NvociError } from "../model/errors.ts";
import { type HostPath, hostPath } from "../model/paths.ts";
import { quote } from "../model/quote.ts";
import { CWD } from "../sys/fd.ts";
import type { Stat, Syscalls } from "../sys/syscalls.ts";

/** Where programs are when PATH does not say so. */
const USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const isSame = (a: Stat, b: Stat): boolean => a.device === b.device && a.inode === b.inode;

/** Absolute paths of a runtime that config.toml names, in the order in which they are tried. */
function candidates(runtime: string, path: string): readonly HostPath[] {
  if (runtime.startsWith("/")) return [hostPath(runtime)];
  // A relative directory would let the current one, which may be a bundle, choose the program.
  const directories = `${path}:${USUAL_PATH}`.split(":").filter((directory) => directory.startsWith("/"));
  return [...new Set(directories)].map((directory) => hostPath(`${directory}/${runtime}`));
}

/**
 * Finds the low-level runtime: the first of the given ones that can be run and is not nvoci itself, whatever name
 * nvoci goes by there.
 *
 * @param runtimes absolute paths, or names that are searched in PATH and then in the usual directories.
 * @param path the value of PATH.
 * @param own paths of this program, links included; those that do not exist are passed over.
 * @throws NvociError "runtime-missing"
 */
export function findRuntime(
  system: Syscalls,
  runtimes: readonly string[],
  path: string,
  own: readonly string[],
): HostPath {
  let passedOver = "";
  let self: readonly Stat[] | undefined;
  for (const runtime of runtimes) {
    for (const candidate of candidates(runtime, path)) {
      const stat = system.statx(CWD, candidate, 0);
      if (stat?.type !== "file" || (stat.mode & 0o111) === 0) continue;
      self ??= own.flatMap((name) => system.statx(CWD, name, 0) ?? []);
      if (!self.some((one) => isSame(one, stat))) return candidate;
      passedOver = `; ${quote(candidate)} is nvoci itself`;
    }
  }
  const names = runtimes.map((runtime) => quote(runtime)).join(" or ");
  throw new NvociError("runtime-missing", `Cannot find the low-level runtime ${names}${passedOver}`, {
    hint: "install runc, or name the runtime in config.toml: nvidia-container-runtime.runtimes",
  });
}
