/**
 * The main bundle of the programs that test/integration/arm64.test.ts builds. Its second argument is a question
 * as JSON; it prints the answer as JSON.
 */
import { byWalk, resolver } from "../../../src/execute/rootfs/resolve.ts";
import { AT_EMPTY_PATH, O_PATH, O_RDONLY } from "../../../src/sys/constants.ts";
import { linux, STDOUT } from "../../../src/sys/linux.ts";
import type { Primitives } from "../../../src/sys/primitives.ts";
import { CWD } from "../../../src/sys/syscalls.ts";
import { SystemError } from "../../../src/sys/system-error.ts";

declare const nvociEngine: Primitives;

/** Directories to resolve paths below, or a file to stat. */
interface Question {
  readonly trees?: readonly { readonly root: string; readonly paths: readonly string[] }[];
  readonly stat?: string;
}

const system = linux(nvociEngine);

/** Opens each path in every way and returns the results. */
function outcomes(root: string, paths: readonly string[]): string[] {
  const fd = system.openat(CWD, root, O_PATH | system.O_DIRECTORY);
  const chosen = resolver(system, fd, new Set());
  const walk = byWalk(system, fd);
  const { O_DIRECTORY, O_NOFOLLOW } = system;
  const flagSets = [0, O_DIRECTORY, O_NOFOLLOW, O_DIRECTORY | O_NOFOLLOW];
  const answers = paths.flatMap((path) =>
    flagSets.flatMap((flags) =>
      [O_PATH, O_RDONLY].flatMap((mode) =>
        [chosen, walk].map((one) => {
          try {
            const found = one.open(path, flags | mode);
            const stat = system.statx(found, "", AT_EMPTY_PATH);
            system.close(found);
            return `${stat?.type} ${stat?.inode}`;
          } catch (error) {
            if (error instanceof SystemError) return error.reason;
            throw error;
          }
        }),
      ),
    ),
  );
  system.close(fd);
  return answers;
}

const { trees = [], stat } = JSON.parse(nvociEngine.argv[1] ?? "{}") as Question;
const answer = {
  trees: trees.map(({ root, paths }) => outcomes(root, paths)),
  stat: stat === undefined ? undefined : system.statx(CWD, stat, 0),
};
system.write(STDOUT, JSON.stringify(answer));
system.exit_group(0);
