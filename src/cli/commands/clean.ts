import type { Argv } from "yargs";
import { lockRoot } from "../../execute/mount/namespace.ts";
import { type Cleaned, cleanRoot } from "../../execute/rootfs/clean-root.ts";
import { EXIT, NvociError } from "../../model/errors.ts";
import { O_RDONLY } from "../../sys/constants.ts";
import { CWD } from "../../sys/syscalls.ts";
import { quote } from "../../text/quote.ts";
import { absolutePath, type Choose, type CommandContext } from "../command.ts";

const WORDING: Readonly<Record<Cleaned["what"], (path: string) => string>> = {
  "put-back": (path) => `put back ${path}`,
  removed: (path) => `removed ${path}`,
  left: (path) => `left ${path}: its place is taken, or it cannot be changed`,
};

/** Adds `clean`, which removes what killed hooks left in a root file system. */
export const addClean = (yargs: Argv, choose: Choose): Argv =>
  yargs.command(
    "clean <rootfs>",
    "put back what a killed hook set aside in a root file system, and remove its temporary files",
    (command) =>
      command.positional("rootfs", {
        type: "string",
        demandOption: true,
        describe: "root directory of a container that is not running",
      }),
    (args) => choose((context) => runClean(context, args.rootfs)),
  );

/** Cleans a root file system. Returns status 1 when something could not be put back or removed. */
function runClean({ system, host, print }: CommandContext, rootfs: string): number {
  const path = absolutePath(host, rootfs);
  const root = system.openat(CWD, path, O_RDONLY | system.O_DIRECTORY);
  const lock = lockRoot(system, root);
  if (!lock.alone) {
    throw new NvociError(
      "operation-failed",
      `Cannot clean ${quote(path)}: it is in use, or cannot be locked`,
    );
  }
  const cleaned = cleanRoot(system, root);
  lock.release();
  print(
    cleaned.length === 0
      ? ["nothing to clean"]
      : cleaned.map((thing) => WORDING[thing.what](quote(thing.path))),
  );
  return cleaned.some(({ what }) => what === "left") ? EXIT.failed : EXIT.done;
}
