/**
 * Options of each mount by its mount point, from the text of a mountinfo file; of several at one point the last.
 *
 * @see proc_pid_mountinfo(5)
 */
export function mountOptions(mountinfo: string): ReadonlyMap<string, readonly string[]> {
  const lines = mountinfo
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" "));
  return new Map(lines.map(([, , , , point = "", options = ""]) => [point, options.split(",")]));
}
