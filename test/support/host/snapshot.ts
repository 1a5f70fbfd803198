import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/**
 * Returns every path below a directory as one line: type, mode, owner, then size and content hash, link target or
 * device number. The lines are sorted, so `toEqual` on two snapshots prints a readable difference. Access and
 * change times are omitted.
 *
 * @param excluded paths below the directory, such as `/proc`, that are omitted with everything below them.
 */
export function snapshotTree(root: string, excluded: readonly string[] = []): string[] {
  const lines: string[] = [];
  const visit = (path: string): void => {
    if (excluded.includes(path)) return;
    const full = join(root, path);
    lines.push(`${path || "/"} ${describe(full)}`);
    if (!lstatSync(full).isDirectory()) return;
    for (const name of readdirSync(full).sort()) visit(`${path}/${name}`);
  };
  visit("");
  return lines;
}

function describe(path: string): string {
  const stat = lstatSync(path);
  const common = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`;
  if (stat.isSymbolicLink()) return `link ${stat.uid}:${stat.gid} -> ${readlinkSync(path)}`;
  if (stat.isDirectory()) return `directory ${common}`;
  if (stat.isFile()) {
    const digest = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);
    return `file ${common} ${stat.size} ${digest}`;
  }
  const type = stat.isCharacterDevice() ? "char" : stat.isBlockDevice() ? "block" : "other";
  return `${type} ${common} ${stat.rdev}`;
}

/** Returns a process' mount table in the format of `mountLines`. */
export const snapshotMounts = (pid: number | "self" = "self"): string[] =>
  mountLines(readFileSync(`/proc/${pid}/mountinfo`, "utf8"));

/**
 * Returns one line for each mount of a mount table: mount point, root within the file system, options,
 * propagation, type, source. Mount ids and peer group numbers are omitted; the order is the kernel's.
 *
 * @see proc_pid_mountinfo(5)
 */
export function mountLines(mountinfo: string): string[] {
  return mountinfo
    .trimEnd()
    .split("\n")
    .map((line) => {
      const fields = line.split(" ");
      const dash = fields.indexOf("-");
      const [root, point, options] = fields.slice(3, 6);
      const propagation = fields.slice(6, dash).map((field) => field.split(":")[0]);
      return [point, root, options, ...propagation, ...fields.slice(dash + 1, dash + 3)].join(" ");
    });
}
