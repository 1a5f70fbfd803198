import { CUDA, DRIVER, TRIPLET } from "./paths.ts";

/** Prefix of the titles in the container's output. */
const SECTION = "## ";

/**
 * The container's script. Opening a node without a driver fails with ENXIO, or with EPERM if the cgroup denies it.
 */
export const LOOK_AROUND = `
echo '${SECTION}devices'
for node in /dev/nv*; do
  if error=$( { : <>"$node"; } 2>&1 ); then echo "$node: opened"; else echo "$node: \${error##*: }"; fi
done
echo '${SECTION}files'
for file in ${DRIVER}/* /usr/lib/${TRIPLET}/tegra ${CUDA} /usr/local/cuda /usr/lib/firmware/tegra23x/* /etc/nvpmodel.conf /etc/nv_tegra_release; do
  if [ -L "$file" ]; then echo "$file -> $(readlink "$file")"
  elif [ -d "$file" ]; then echo "$file/"
  elif [ -s "$file" ]; then echo "$file"
  else echo "$file: empty or missing"; fi
done
echo '${SECTION}cache'
/usr/sbin/ldconfig -p
echo '${SECTION}program'
gpu-program 2>&1
`;

/** Returns the lines under each title. */
export function parseSections(text: string): Record<string, string[]> {
  const sections: Record<string, string[]> = {};
  let lines: string[] = [];
  for (const line of text.split("\n").filter((part) => part !== "")) {
    if (line.startsWith(SECTION)) {
      lines = [];
      sections[line.slice(SECTION.length)] = lines;
    } else lines.push(line.trim());
  }
  return sections;
}
