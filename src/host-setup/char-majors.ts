/** Reads the numbers of character devices in /proc/devices, by name. @see proc_devices(5) */
export function parseCharMajors(text: string): ReadonlyMap<string, number> {
  const majors = new Map<string, number>();
  const [, characters = ""] = text.split(/^Character devices:$/m);
  const [own = ""] = characters.split(/^Block devices:$/m);
  for (const line of own.split("\n")) {
    const [, major, name] = /^ *(\d{1,4}) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && Number(major) < 1 << 12) majors.set(name, Number(major));
  }
  return majors;
}
