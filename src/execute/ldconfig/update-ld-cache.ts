import { sonameLinks } from "../../discover/soname-links.ts";
import { loadBundle } from "../../load.ts";
import { append } from "../../model/budget.ts";
import type { Link, Mount } from "../../model/container-edits.ts";
import { type Finding, finding } from "../../model/finding.ts";
import { basename, containerPath } from "../../model/paths.ts";
import type { Operation, OperationOf } from "../../plan/operation.ts";
import { AT_SYMLINK_NOFOLLOW, MS_RDONLY, O_PATH } from "../../sys/constants.ts";
import { EACCES, EROFS } from "../../sys/errno.ts";
import { linuxHost } from "../../sys/linux-host.ts";
import type { Fd } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import { InTheWay } from "../rootfs/asides.ts";
import { readLibraryPath, searchOrder, systemDirectories } from "./library-path.ts";
import { CACHE, DRAFT, replaceCache } from "./replace-cache.ts";
import { type LdconfigContext, runLdconfig } from "./run-ldconfig.ts";

/** A part of its own: ldconfig reports most names, and then no library is read. */
const sonameReader = () => loadBundle<typeof import("../../elf/read-soname.ts")>("soname");

/** How ldconfig -v writes a library down: a tab, its SONAME, an arrow and its file. */
const ARROW = " -> ";

/**
 * Refreshes the container's ld.so.cache with the injected directories, whatever the image's ld.so.conf says, and makes
 * the SONAME links of what is injected.
 *
 * ldconfig itself changes nothing: it writes a cache in memory and says which names it has found. So links of the
 * image and of volumes stay as they are, and there is nothing of its work to be taken back.
 *
 * @param operations all of the plan, to tell injected libraries from the image's.
 * @returns findings: a root that cannot be written to, an image without /etc, or a directory where the cache belongs
 * leaves everything as it is. Where ldconfig fails, the links are made all the same.
 * @throws InTheWay for a cache that is mounted there.
 */
export function updateLdCache(
  operation: OperationOf<"update-ldcache">,
  operations: readonly Operation[],
  context: LdconfigContext,
): readonly Finding[] {
  const { system, rootfs } = context;
  const etc = rootfs.view.open("/etc", O_PATH | system.O_DIRECTORY);
  if (etc === undefined) return [finding("container-no-etc", "warning", operation.source, {})];
  const path = `/etc/${CACHE}`;
  if (!rootfs.isOwn(etc))
    return [finding("container-volume-untouched", "warning", operation.source, { path })];
  // Before anything is asked about them.
  for (const name of [CACHE, DRAFT]) rootfs.place(containerPath(`/etc/${name}`));
  if (system.statx(etc, CACHE, AT_SYMLINK_NOFOLLOW)?.type === "directory") {
    return [
      finding("container-directory-in-the-way", "warning", operation.source, { path: `/etc/${CACHE}` }),
    ];
  }
  if (system.fstatfs(etc).flags & MS_RDONLY) return [readOnly(operation)];

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
  const sonames = reason === undefined ? sonamesIn(result.words) : new Map<string, string>();
  append(findings, makeLinks(context, operations, sonames));
  if (reason !== undefined) return findings;
  return replace(context, etc, result.cache) ? findings : [...findings, readOnly(operation)];
}

const readOnly = (operation: OperationOf<"update-ldcache">): Finding =>
  finding("container-read-only", "warning", operation.source, { path: "/etc" });

/** @returns whether the file system takes it. */
function replace(context: LdconfigContext, etc: Fd, cache: Uint8Array): boolean {
  try {
    replaceCache(context, etc, cache);
    return true;
  } catch (error) {
    if (error instanceof SystemError && (error.errno === EROFS || error.errno === EACCES)) return false;
    throw error;
  }
}

/**
 * Reads which SONAMEs ldconfig has found, by the names of the files. An image can forge lines by the names of its
 * own files; all that it gains is a link of its choice beside a library of ours, which it can have anyway.
 */
function sonamesIn(words: string): ReadonlyMap<string, string> {
  const sonames = new Map<string, string>();
  for (const line of words.split("\n")) {
    const arrow = line.indexOf(ARROW);
    if (arrow < 0 || !line.startsWith("\t")) continue;
    const file = line.slice(arrow + ARROW.length).split(" ", 1)[0] ?? "";
    const soname = line.slice(1, arrow);
    if (/^lib[^/]*$/.test(soname) && !sonames.has(file)) sonames.set(file, soname);
  }
  return sonames;
}

/**
 * Makes the links that lead from SONAMEs to injected libraries.
 *
 * @param told by ldconfig, from the names of files; empty where it has told nothing, and libraries are asked.
 */
function makeLinks(
  { system, rootfs }: LdconfigContext,
  operations: readonly Operation[],
  told: ReadonlyMap<string, string>,
): Finding[] {
  const host = linuxHost(system);
  const sonameOf = ({ hostPath, containerPath: path }: Mount): string | undefined =>
    told.size > 0 ? told.get(basename(path)) : sonameReader().readSoname(host, hostPath);
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

/** What the plan injects, as edits. */
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
