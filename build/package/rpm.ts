import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRunnable, run } from "../run.ts";
import type { Artifact, Program, Release } from "./artifact.ts";
import { HOMEPAGE, MAINTAINER } from "./contents.ts";
import { fillTemplate } from "./template.ts";

/** What makes rpmbuild's result depend on nothing but its input. */
const MACROS: Readonly<Record<string, string>> = {
  _buildhost: "reproducible",
  use_source_date_epoch_as_buildtime: "1",
  clamp_mtime_to_source_date_epoch: "1",
  // xz is what every rpm since that of RHEL 7 reads.
  _binary_payload: "w7.xzdio",
  // Fedora compresses manual pages, Debian's rpmbuild does not. The script wants bash, and says sh.
  __os_install_post: "/bin/bash /usr/lib/rpm/brp-compress",
};

/** Returns the spec file, which the source archive contains. It has the release's date as its changelog's. */
export function rpmSpec({ root, version, epoch }: Release): string {
  const [, day, date, month, year] =
    /^(\w+), (\d+) (\w+) (\d+)/.exec(new Date(epoch * 1000).toUTCString()) ?? [];
  return fillTemplate(readFileSync(join(root, "packaging/rpm/nvoci.spec.in"), "utf8"), {
    VERSION: version,
    // As in a Debian version, a pre-release comes before its release.
    PACKAGE_VERSION: version.replace("-", "~"),
    HOMEPAGE,
    MAINTAINER,
    RPM_DATE: `${day} ${month} ${date} ${year}`,
  });
}

/**
 * Makes the RPM packages of the programs from the source archive. None if this machine has no rpmbuild.
 *
 * rpmbuild cannot work in a directory with a blank in its name, so it gets one of its own.
 */
export function rpmPackages(release: Release, source: Artifact, programs: readonly Program[]): Artifact[] {
  if (!isRunnable("rpmbuild")) {
    console.error("No RPM packages: no rpmbuild (Debian package rpm)");
    return [];
  }
  const work = mkdtempSync(join(tmpdir(), "nvoci-rpm-"));
  try {
    writeFileSync(join(work, source.file), source.content);
    const made = new Map<string, Buffer>();
    for (const { arch, path } of programs) {
      const program = join(work, `nvoci-linux-${arch}`);
      const topdir = join(work, arch);
      copyFileSync(path, program);
      mkdirSync(topdir);
      const macros = { ...MACROS, _topdir: topdir, nvoci_program: program };
      const defines = Object.entries(macros).flatMap(([name, value]) => ["--define", `${name} ${value}`]);
      // --nodeps: dpkg installed the tools, so rpm's database does not have them.
      const words = ["-tb", join(work, source.file), "--nodeps", "--target", `${arch}-linux`, ...defines];
      run("rpmbuild", words, {
        // A home without the user's .rpmmacros.
        env: { PATH: process.env.PATH, HOME: work, LC_ALL: "C", SOURCE_DATE_EPOCH: `${release.epoch}` },
      });
      for (const entry of readdirSync(join(topdir, "RPMS"), { recursive: true, withFileTypes: true })) {
        // nvoci-compat is the same for every architecture.
        if (entry.isFile() && !made.has(entry.name))
          made.set(entry.name, readFileSync(join(entry.parentPath, entry.name)));
      }
    }
    return [...made].map(([file, content]) => ({ file, content }));
  } finally {
    rmSync(work, { recursive: true });
  }
}
