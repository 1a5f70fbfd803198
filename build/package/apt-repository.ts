import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Artifact, Release } from "./artifact.ts";
import type { BinaryPackage } from "./binary-package.ts";

/**
 * Makes the indexes by which the directory of the .deb files is a flat apt repository.
 *
 * @see https://wiki.debian.org/DebianRepository/Format
 */
export function aptRepository({ version, epoch }: Release, packages: readonly BinaryPackage[]): Artifact[] {
  const stanzas = packages.map(({ file, content, control }) => {
    const sums = `Size: ${content.length}\nSHA256: ${sha256(content)}\n`;
    return `${control}Filename: ./${file}\n${sums}`;
  });
  const index = Buffer.from(stanzas.join("\n"));
  const indexes = [
    { file: "Packages", content: index },
    { file: "Packages.gz", content: gzipSync(index, { level: 9 }) },
  ];
  const architectures = packages.flatMap(({ control }) => /^Architecture: (.*)$/m.exec(control)?.[1] ?? []);
  const fields = {
    Origin: "nvoci",
    Label: "nvoci",
    Suite: "stable",
    Version: version,
    Architectures: [...new Set(architectures)].filter((name) => name !== "all").join(" "),
    Date: new Date(epoch * 1000).toUTCString().replace("GMT", "UTC"),
  };
  const lines = [
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
    "SHA256:",
    ...indexes.map(({ file, content }) => ` ${sha256(content)} ${content.length} ${file}`),
  ];
  return [...indexes, { file: "Release", content: `${lines.join("\n")}\n` }];
}

const sha256 = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");
