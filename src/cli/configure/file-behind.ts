import { NvociError } from "../../model/errors.ts";
import type { HostView } from "../../model/host-view.ts";
import { basename, dirname, type HostPath, join } from "../../model/paths.ts";
import { quote } from "../../model/quote.ts";

/** As many as the kernel follows. */
const MOST_LINKS = 40;

const refuse = (named: HostPath, reason: string): NvociError =>
  new NvociError("file-invalid", `Cannot edit ${quote(named, 4096)}: ${reason}`, {
    hint: "correct the link or remove it; nothing has been changed",
  });

/**
 * The file that a name stands for. Administrators keep configuration elsewhere and link to it: the link stays, and what
 * it leads to is written. A link to a file that is not there yet counts as well, as long as its directory is there.
 *
 * @throws NvociError "file-invalid" for a loop of links, and for a link into a directory that does not exist.
 */
export function fileBehind(host: HostView, named: HostPath): HostPath {
  const there = host.realPath(named);
  if (there !== undefined) return there;
  let path = named;
  for (let links = 0; links <= MOST_LINKS; links++) {
    const target = host.readLink(path);
    if (target === undefined) return path;
    // Left as it is written: the kernel, and no text, decides what `..` behind a link means.
    const next = (target.startsWith("/") ? target : `${dirname(path)}/${target}`) as HostPath;
    const directory = host.realPath(dirname(next));
    if (directory === undefined) {
      throw refuse(named, `it is a link to ${quote(next, 4096)}, whose directory is not there`);
    }
    path = join(directory, basename(next)) as HostPath;
  }
  throw refuse(named, "it is a link that leads back to itself");
}
