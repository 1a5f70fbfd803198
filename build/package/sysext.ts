import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { isRunnable, run } from "../run.ts";
import type { Architecture, Artifact, Program, Release } from "./artifact.ts";
import { packageEntries } from "./binary-package.ts";
import { type TarEntry, tarGz } from "./tar.ts";

/** systemd's names of architectures, as in systemd-sysext(8). */
const SYSTEMD_ARCH: Readonly<Record<Architecture, string>> = { x86_64: "x86-64", aarch64: "arm64" };

/**
 * Makes a system extension for hosts whose /usr is not theirs to change: what both packages have in /usr, as a
 * squashfs image. None if this machine cannot make one.
 *
 * @see https://uapi-group.org/specifications/specs/extension_image/
 */
export async function systemExtension(release: Release, program: Program): Promise<Artifact[]> {
  if (!isRunnable("sqfstar")) {
    console.error("No system extension: no sqfstar (Debian package squashfs-tools)");
    return [];
  }
  const arch = SYSTEMD_ARCH[program.arch];
  // systemd reads only the release file that has the image's own name.
  const name = `nvoci-${release.version}-${arch}`;
  const entries: TarEntry[] = [
    ...packageEntries("ipk", "nvoci", release, program),
    ...packageEntries("ipk", "nvoci-compat", release),
    {
      path: `usr/lib/extension-release.d/extension-release.${name}`,
      // The program is static, so it runs on every distribution.
      content: `ID=_any\nARCHITECTURE=${arch}\n`,
    },
  ].filter(({ path }) => path.startsWith("usr/"));
  const work = mkdtempSync(join(tmpdir(), "nvoci-sysext-"));
  try {
    const image = join(work, "image");
    run(
      "sqfstar",
      ["-quiet", "-no-progress", "-comp", "xz", "-all-root", "-root-mode", "755", "-no-xattrs", image],
      {
        input: gunzipSync(await tarGz(entries, release.epoch, "")),
        env: { PATH: process.env.PATH, SOURCE_DATE_EPOCH: `${release.epoch}` },
      },
    );
    return [{ file: `${name}.raw`, content: readFileSync(image) }];
  } finally {
    rmSync(work, { recursive: true });
  }
}
