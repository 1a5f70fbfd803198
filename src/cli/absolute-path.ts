import { NvociError } from "../model/errors.ts";
import type { HostView } from "../model/host-view.ts";
import { type HostPath, hostPath, join } from "../model/paths.ts";
import { quote } from "../model/quote.ts";

/**
 * A path from the command line, relative ones against the current directory.
 *
 * @throws NvociError "usage" for an empty path, and for a relative one where the current directory is gone.
 */
export function absolutePath(host: HostView, text: string): HostPath {
  if (text.startsWith("/")) return hostPath(text);
  const directory = text === "" ? undefined : host.readLink(hostPath("/proc/self/cwd"));
  if (directory?.startsWith("/")) return join(directory, text) as HostPath;
  throw new NvociError("usage", `Cannot use the path ${quote(text)}: give an absolute one`);
}
