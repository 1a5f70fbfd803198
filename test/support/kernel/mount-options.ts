/**
 * Maps each mount point in the text of a mountinfo file to its options. The last mount at a point wins.
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
