import { sonameLinks } from "../../discover/soname-links.ts";
import { loadBundle } from "../../load.ts";
import { append } from "../../model/budget.ts";
import type { Link, Mount } from "../../model/container-edits.ts";
import { type Finding, finding } from "../../model/finding.ts";
import { basename } from "../../model/paths.ts";
import type { Operation, OperationOf } from "../../plan/operation.ts";
import { linuxHost } from "../../sys/linux-host.ts";
import { InTheWay } from "../rootfs/asides.ts";
import { readLibraryPath, searchOrder, systemDirectories } from "./library-path.ts";
import { openEtc, readOnly, replaceInEtc } from "./replace-in-etc.ts";
import { type LdconfigContext, runLdconfig } from "./run-ldconfig.ts";

const CACHE = { name: "ld.so.cache", draft: ".nvoci-cache" };

/** A separate part, because ldconfig reports the names in most cases, and then no library is read. */
const sonameReader = () => loadBundle<typeof import("../../elf/read-soname.ts")>("soname");

/** `ldconfig -v` prints a library as a tab, its SONAME, this arrow and its file. */
const ARROW = " -> ";

/**
 * Updates the container's ld.so.cache with the injected directories, whatever the image's ld.so.conf names, and
 * makes the SONAME links of injected libraries.
 *
 * ldconfig itself changes nothing: it writes a cache in memory and prints the names that it finds. So links of the
 * image and of volumes stay as they are, and its work needs no undo.
 *
 * @param operations the whole plan, which distinguishes injected libraries from the image's.
 * @returns findings. A read-only root, an image without /etc, or a directory in the cache's place leaves
 * everything as it is. If ldconfig fails, only the links are made.
 * @throws {InTheWay} when the cache is a mount.
 * @throws {NvociError} "ldconfig-failed" when the sandbox cannot be set up.
 */
export function updateLdCache(
  operation: OperationOf<"update-ldcache">,
  operations: readonly Operation[],
  context: LdconfigContext,
): readonly Finding[] {
  const { system, rootfs } = context;
  const opened = openEtc(context, CACHE, operation.source);
  if ("found" in opened) return [opened.found];

  const findings: Finding[] = [];
  const report = (found: Finding): void => void findings.push(found);
  const directories = searchOrder(
    operation.folders,
    operation.compatFolder,
    readLibraryPath(rootfs.view, rootfs.view.budget, report),
    systemDirectories(rootfs.view, system.arch),
  );
  const result = runLdconfig(context, operation.ldconfig, `${directories.join("\n")}\n`);
  const { reason } = result;
  if (reason !== undefined) report(finding("ldconfig-failed", "warning", operation.source, { reason }));
  const sonames = reason === undefined ? sonamesIn(result.printed) : new Map<string, string>();
  append(findings, makeLinks(context, operations, sonames));
  if (reason !== undefined) return findings;
  const replaced = replaceInEtc(context, opened.etc, CACHE, result.cache);
  return replaced ? findings : [...findings, readOnly(operation.source)];
}

/**
 * Returns the SONAMEs in ldconfig's output by file name. An image can forge lines through its own file names. It
 * gains only a link of its choice next to an injected library, which it can make anyway.
 */
function sonamesIn(printed: string): ReadonlyMap<string, string> {
  const sonames = new Map<string, string>();
  for (const line of printed.split("\n")) {
    const arrow = line.startsWith("\tlib") ? line.indexOf(ARROW) : -1;
    if (arrow < 0) continue;
    const soname = line.slice(1, arrow);
    const rest = line.slice(arrow + ARROW.length);
    const space = rest.indexOf(" ");
    const file = space < 0 ? rest : rest.slice(0, space);
    if (!sonames.has(file) && !soname.includes("/")) sonames.set(file, soname);
  }
  return sonames;
}

/**
 * Makes the links from SONAMEs to injected libraries.
 *
 * @param reported SONAMEs by file name, from ldconfig. If empty, they are read from the libraries.
 */
function makeLinks(
  { system, rootfs }: LdconfigContext,
  operations: readonly Operation[],
  reported: ReadonlyMap<string, string>,
): Finding[] {
  const host = linuxHost(system);
  const sonameOf = ({ hostPath, containerPath: path }: Mount): string | undefined =>
    reported.size > 0 ? reported.get(basename(path)) : sonameReader().readSoname(host, hostPath);
  const findings: Finding[] = [];
  for (const { containerPath: path, target, source } of sonameLinks(injected(operations), sonameOf)) {
    try {
      rootfs.makeLink(path, target);
    } catch (error) {
      if (!(error instanceof InTheWay)) throw error;
      findings.push(finding("container-mount-in-the-way", "warning", source, { path }));
    }
  }
  return findings;
}

/** Returns the files, directories and links that the plan injects, as edits. */
function injected(operations: readonly Operation[]): { mounts: Mount[]; links: Link[] } {
  const mounts: Mount[] = [];
  const links: Link[] = [];
  for (const operation of operations) {
    const { op, source } = operation;
    if (op === "make-link") links.push({ containerPath: operation.path, target: operation.target, source });
    if (op !== "bind-file" && op !== "bind-directory") continue;
    const { hostPath, path, options } = operation;
    mounts.push({
      hostPath,
      containerPath: path,
      kind: op === "bind-file" ? "file" : "directory",
      options,
      source,
    });
  }
  return { mounts, links };
}
