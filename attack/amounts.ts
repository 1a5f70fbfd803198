import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Attack } from "./attack.ts";
import { Random } from "./random.ts";
import { endFaults, measured, openTarget, usageFaults } from "./target.ts";

/** The largest amounts. Such an image stays under 16 MB. */
const MOST = {
  names: 4000,
  lines: 100_000,
  links: 40,
  components: 2000,
  terms: 100_000,
  variables: 20_000,
} as const;

/** Fills an image with one kind of excess. Returns variables for the container's environment. */
type Generator = (rootfs: string, random: Random) => readonly string[];

const LIBRARIES = "usr/lib/aarch64-linux-gnu";

/** Replaces a path of the image with a file. */
function replace(path: string, content: string): void {
  rmSync(path, { recursive: true, force: true });
  writeFileSync(path, content);
}

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => `${line(index)}\n`).join("");

const many = (random: Random, most: number, text: (index: number) => string, separator: string): string =>
  random.times(random.amount(most), text).join(separator);

const GENERATORS: Readonly<Record<string, Generator>> = {
  "patterns for many names"(rootfs, random) {
    const directory = join(rootfs, "etc/g");
    mkdirSync(directory);
    const name = "a".repeat(random.amount(250));
    for (let count = random.amount(MOST.names); count > 0; count--)
      writeFileSync(join(directory, `${name.slice(5)}${count}`), "");
    const pattern = random.pick([
      `*${"a".repeat(random.amount(200))}b`,
      `${"*a".repeat(random.amount(100))}b`,
      "[a-z]*[!b]",
      "*/../*",
    ]);
    replace(
      join(rootfs, "etc/ld.so.conf"),
      lines(random.amount(64), () => `include /etc/g/${pattern}`),
    );
    return [];
  },
  "files of lines"(rootfs, random) {
    const line = random.pick(["", "/a", "#", "include", "x x", " \t "]);
    const text = `${line}\n`.repeat(random.amount(65_536 / (line.length + 1)));
    for (let count = random.amount(64); count > 0; count--)
      replace(join(rootfs, `etc/ld.so.conf.d/${count}.conf`), text);
    return [];
  },
  "directories of libraries"(rootfs, random) {
    const spellings = random.amount(256);
    replace(
      join(rootfs, "etc/ld.so.conf"),
      lines(spellings, (index) => `/opt${"/.".repeat(index)}/many`),
    );
    mkdirSync(join(rootfs, "opt/many"));
    for (let count = random.amount(MOST.names); count > 0; count--)
      writeFileSync(join(rootfs, `opt/many/lib${count}.so.1`), "\x7fELF");
    return [];
  },
  "links of many components"(rootfs, random) {
    const count = random.amount(MOST.links);
    const components = random.amount(MOST.components);
    rmSync(join(rootfs, LIBRARIES), { recursive: true });
    symlinkSync("/k0/x", join(rootfs, LIBRARIES));
    for (let index = 0; index < count; index++)
      symlinkSync(`/k${index + 1}${"/a".repeat(components).slice(0, 4000)}`, join(rootfs, `k${index}`));
    return [];
  },
  "a chain of links"(rootfs, random) {
    rmSync(join(rootfs, LIBRARIES), { recursive: true });
    symlinkSync("../../c0", join(rootfs, LIBRARIES));
    const count = random.amount(60);
    for (let index = 0; index < count; index++)
      symlinkSync(`${"./".repeat(random.below(500))}c${index + 1}`, join(rootfs, `c${index}`));
    return [];
  },
  devices: (_, random) => [`NVIDIA_VISIBLE_DEVICES=${many(random, MOST.terms, (index) => `${index}`, ",")}`],
  capabilities: (_, random) => [
    `NVIDIA_DRIVER_CAPABILITIES=${many(random, MOST.terms, () => random.pick(["compute", "x", ""]), ",")}`,
  ],
  requirements: (_, random) => [
    `NVIDIA_REQUIRE_CUDA=${many(random, MOST.terms, () => random.pick(["cuda>=9.0", "brand=x", "a", "cuda>=1,cuda<2"]), random.pick([" ", ","]))}`,
  ],
  "names of requirements": (_, random) =>
    random.times(random.amount(MOST.variables), (index) => `NVIDIA_REQUIRE_${index}=cuda>=9.0`),
  "requests for manifests": (_, random) => [
    `NVIDIA_REQUIRE_JETPACK=csv-mounts=${many(random, MOST.terms, () => random.pick(["all", "x", "../x"]), ",")}`,
  ],
  channels: (_, random) => [`NVIDIA_IMEX_CHANNELS=${many(random, MOST.terms, (index) => `${index}`, ",")}`],
  variables: (_, random) =>
    random.times(random.amount(MOST.variables), (index) => `A${index}=${"x".repeat(random.below(200))}`),
};

/** Oversized images and environments. No hook may use more processor time or memory than the limits allow. */
export const amounts: Attack = {
  name: "amounts",
  async open(build) {
    const target = await openTarget(build);
    return {
      async trial(seed) {
        const random = new Random(seed);
        const kind = random.pick(Object.keys(GENERATORS));
        const { directory, rootfs } = target.makeBundle();
        const env = GENERATORS[kind]?.(rootfs, random) ?? [];
        const process = { env: ["NVIDIA_VISIBLE_DEVICES=all", ...env] };
        writeFileSync(
          join(directory, "config.json"),
          JSON.stringify({ ociVersion: "1.0.2", process, root: { path: "rootfs" } }),
        );
        const container = await target.openContainer();
        try {
          const result = measured(container.run, random.pick(target.hooks), join(directory, "usage"));
          const faults = [...endFaults(result), ...usageFaults(build, result), ...target.hostFaults()];
          return faults.map((fault) => `${kind}: ${fault}`);
        } finally {
          container.close();
        }
      },
      close: target.close,
    };
  },
};
