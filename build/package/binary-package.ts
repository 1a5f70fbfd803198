import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ar } from "./ar.ts";
import type { Artifact, Program, Release } from "./artifact.ts";
import { ARCHITECTURES, type Kind, MAINTAINER, PACKAGES, type PackageName } from "./contents.ts";
import { type TarEntry, tarGz } from "./tar.ts";
import { fillTemplate } from "./template.ts";

interface PackageEntry extends TarEntry {
  readonly conffile?: boolean | undefined;
}

export interface BinaryPackage extends Artifact {
  readonly content: Buffer;
  /** The fields of its control file. */
  readonly control: string;
}

/**
 * Makes a .deb or an .ipk file. gzip compresses its members, because every dpkg and opkg reads it.
 *
 * @param program for a package that contains it.
 * @see deb(5)
 */
export async function binaryPackage(
  kind: Kind,
  name: PackageName,
  release: Release,
  program?: Program,
): Promise<BinaryPackage> {
  const { root, epoch } = release;
  const version = packageVersion(release.version);
  const entries = packageEntries(kind, name, release, program);
  const files = entries.flatMap(({ path, content, conffile }) =>
    content !== undefined && !conffile ? [{ path, content }] : [],
  );
  const conffiles = entries.filter(({ conffile }) => conffile);
  const architecture = program ? ARCHITECTURES[program.arch][kind] : "all";
  const values = {
    VERSION: version,
    ARCHITECTURE: architecture,
    // KiB of each file, rounded up, and one for each other entry, as dpkg-gencontrol counts.
    MAINTAINER,
    SIZE: entries.reduce((sum, { content }) => sum + Math.ceil((content?.length ?? 1) / 1024), 0),
  };
  const template = readFileSync(join(root, "packaging", kind, `${name}.control`), "utf8");
  const control = fillTemplate(template, values);
  const scripts = PACKAGES[name].scripts ?? [];
  const controlEntries = [
    { path: "control", content: control },
    { path: "md5sums", content: files.map(({ path, content }) => `${md5(content)}  ${path}\n`).join("") },
    ...(conffiles.length === 0
      ? []
      : [{ path: "conffiles", content: conffiles.map(({ path }) => `/${path}\n`).join("") }]),
    ...scripts.map((script) => ({
      path: script,
      content: fillTemplate(readFileSync(join(root, "packaging/deb", `${name}.${script}`), "utf8"), {
        CONFIG: readFileSync(join(root, "packaging/config.toml"), "utf8"),
        ROOT: IMAGE_ROOT[kind],
      }),
      mode: 0o755,
    })),
  ];
  const members = [
    { name: "debian-binary", content: Buffer.from("2.0\n") },
    { name: "control.tar.gz", content: await tarGz(controlEntries, epoch, "./") },
    { name: "data.tar.gz", content: await tarGz(entries, epoch, "./") },
  ];
  return { file: `${name}_${version}_${architecture}.${kind}`, content: ar(members, epoch), control };
}

/**
 * The root of an image under construction, as a shell word; it is empty on a running system. opkg by itself sets PKG_ROOT,
 * which ends in a slash, and OpenEmbedded sets D.
 */
const IMAGE_ROOT = { deb: "$DPKG_ROOT", ipk: `\${D:-\${PKG_ROOT%/}}` };

/** Returns a version that dpkg and opkg order correctly: a pre-release comes before its release. */
export const packageVersion = (version: string): string => `${version.replace("-", "~")}-1`;

/** Returns what a package of a kind installs. */
export function packageEntries(
  kind: Kind,
  name: PackageName,
  release: Release,
  program?: Program,
): PackageEntry[] {
  const { root, version, epoch } = release;
  const { program: place, files, debian, others } = PACKAGES[name];
  const listed = [...files, ...(kind === "deb" ? debian : others)].map((entry): PackageEntry => {
    const { path, source, link, gzip, conffile, executable } = entry;
    if (source === undefined) return { path, ...(link !== undefined && { link }) };
    const bytes = readFileSync(join(root, source));
    return { path, content: gzip ? compressed(bytes) : bytes, mode: executable ? 0o755 : 0o644, conffile };
  });
  if (place === undefined || program === undefined) return listed;
  const log = compressed(debianChangelog(name, packageVersion(version), epoch));
  const changelog = { path: `usr/share/doc/${name}/changelog.Debian.gz`, content: log, mode: 0o644 };
  const own = { path: place, content: readFileSync(program.path), mode: 0o755 };
  return [own, ...listed, ...(kind === "deb" ? [changelog] : [])];
}

/** Debian requires its own changelog, which points to ours. */
function debianChangelog(name: string, version: string, epoch: number): string {
  const date = new Date(epoch * 1000).toUTCString().replace("GMT", "+0000");
  const entry = "  * New release; see changelog.gz.";
  const signature = ` -- ${MAINTAINER}  ${date}`;
  return `${name} (${version}) stable; urgency=medium\n\n${entry}\n\n${signature}\n`;
}

const compressed = (bytes: string | Buffer) => gzipSync(bytes, { level: 9 });

const md5 = (bytes: string | Buffer) => createHash("md5").update(bytes).digest("hex");
