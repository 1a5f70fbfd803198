import type { HostView } from "../../model/host-view.ts";
import { type HostPath, hostPath } from "../../model/paths.ts";

/** Where daemons look for programs. Our own PATH says nothing about theirs. */
const DIRECTORIES = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Finds a program by its name, or by its absolute path; links have to lead to something. */
export function findProgram(host: HostView, name: string): HostPath | undefined {
  const candidates = name.startsWith("/") ? [name] : DIRECTORIES.map((directory) => `${directory}/${name}`);
  return candidates.map(hostPath).find((path) => host.realPath(path) !== undefined);
}
