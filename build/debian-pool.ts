import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { run } from "./run.ts";

const APT_HELPER = "/usr/lib/apt/apt-helper";

/**
 * Fetches a file of a Debian pool from the mirrors in apt's configuration.
 *
 * @param path the file's path on a mirror, `pool/…`.
 * @param sha256 the expected checksum.
 * @param file where it goes.
 * @returns whether a mirror has it.
 */
export function fetchFromPool(path: string, sha256: string, file: string): boolean {
  for (const base of aptMirrors()) {
    try {
      mkdirSync(dirname(file), { recursive: true });
      // apt's downloader uses apt's proxies and certificates, and checks the sum.
      run(APT_HELPER, ["download-file", `${base}${path}`, file, `SHA256:${sha256}`]);
      return true;
    } catch {
      rmSync(file, { force: true });
    }
  }
  return false;
}

function aptMirrors(): string[] {
  if (!existsSync(APT_HELPER)) return [];
  try {
    const listed = run("apt-get", ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
    return [...new Set(listed.split("\n").filter((line) => /^https?:/.test(line)))];
  } catch {
    return [];
  }
}
