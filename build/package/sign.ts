import { run } from "../run.ts";

/**
 * Signs a release with the OpenPGP key that NVOCI_SIGNING_KEY names in gpg's own home ($GNUPGHOME): the sums of its
 * files, and the apt repository's Release file. Writes the public key beside. Without that variable it says so.
 *
 * @param directory the release's, with SHA256SUMS and Release.
 * @returns the names of the files that it wrote.
 * @throws BuildError when gpg does not sign.
 */
export function signRelease(directory: string): string[] {
  const key = process.env.NVOCI_SIGNING_KEY;
  if (!key) {
    console.error("The release is not signed: NVOCI_SIGNING_KEY does not name a key");
    return [];
  }
  const gpg = (output: string, ...words: string[]): string => {
    run("gpg", ["--batch", "--yes", "--local-user", key, "--output", output, ...words], { cwd: directory });
    return output;
  };
  const detached = ["--armor", "--detach-sign"];
  return [
    gpg("SHA256SUMS.asc", ...detached, "SHA256SUMS"),
    gpg("InRelease", "--clearsign", "Release"),
    gpg("Release.gpg", ...detached, "Release"),
    gpg(PUBLIC_KEY, "--armor", "--export", key),
  ];
}

/** apt reads a key of this form from a file named by Signed-By. */
const PUBLIC_KEY = "nvoci-signing-key.asc";
