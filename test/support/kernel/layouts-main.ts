/**
 * The main bundle of the programs that test/integration/arm64.test.ts builds. Its second argument is a question
 * as JSON; it prints the answer as JSON.
 */
import { parseConfig } from "../../../src/config/parse-config.ts";
import { readNotes } from "../../../src/elf/driver-notes.ts";
import { readElf } from "../../../src/elf/read-elf.ts";
import { byWalk, resolver } from "../../../src/execute/rootfs/resolve.ts";
import { decodeLdCache } from "../../../src/ldcache/decode-ld-cache.ts";
import { parseManifest } from "../../../src/manifest/parse-manifest.ts";
import { hostPath } from "../../../src/model/paths.ts";
import { parseSpec } from "../../../src/oci/spec.ts";
import { parseState } from "../../../src/oci/state.ts";
import { AT_EMPTY_PATH, O_PATH, O_RDONLY } from "../../../src/sys/constants.ts";
import { linux, STDOUT } from "../../../src/sys/linux.ts";
import type { Primitives } from "../../../src/sys/primitives.ts";
import { CWD } from "../../../src/sys/syscalls.ts";
import { SystemError } from "../../../src/sys/system-error.ts";

declare const nvociEngine: Primitives;

/** Directories to resolve paths below, a file to stat, or bytes to parse. */
interface Question {
  readonly trees?: readonly { readonly root: string; readonly paths: readonly string[] }[];
  readonly stat?: string;
  readonly documents?: readonly { readonly format: string; readonly bytes: readonly number[] }[];
}

/** The parser of each format. What a program reads of a host, an image or a runtime goes through one of them. */
const PARSERS: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  manifest: (bytes) => parseManifest(bytes, "x.csv"),
  "ld.so.cache": (bytes) => decodeLdCache(bytes),
  "config.toml": (bytes) => {
    const findings: unknown[] = [];
    return [parseConfig(textOf(bytes), "config.toml", (finding) => findings.push(finding)), findings];
  },
  state: (bytes) => parseState(textOf(bytes)),
  "config.json": (bytes) => parseSpec(textOf(bytes), hostPath("/bundle")),
  ELF: (bytes) => readNotes(readElf("x", (offset, length) => bytes.subarray(offset, offset + length))),
};

const textOf = (bytes: Uint8Array): string => nvociEngine.decode(bytes, 0, bytes.length);

/** Returns what a parser makes of the bytes, or the text of its error. */
function parsed(format: string, bytes: readonly number[]): string {
  try {
    return JSON.stringify(PARSERS[format]?.(Uint8Array.from(bytes))) ?? "nothing";
  } catch (error) {
    return `${error}`;
  }
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

const { trees = [], stat, documents = [] } = JSON.parse(nvociEngine.argv[1] ?? "{}") as Question;
const answer = {
  trees: trees.map(({ root, paths }) => outcomes(root, paths)),
  documents: documents.map(({ format, bytes }) => parsed(format, bytes)),
  stat: stat === undefined ? undefined : system.statx(CWD, stat, 0),
};
system.write(STDOUT, JSON.stringify(answer));
system.exit_group(0);
