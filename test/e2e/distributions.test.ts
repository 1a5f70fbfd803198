import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { signRelease } from "../../build/package/sign.ts";
import { root as repository } from "../../build/root.ts";
import { openNamespace, type PrivateNamespace } from "../../fixtures/run/private-namespace.ts";
import { type CommandResult, mustRun, runCommand } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { packageCopy, type Release } from "../support/build/release.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";
import { copyOfThisSystem } from "../support/image/debian-roots.ts";

const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

describeNeeding(["make", "dpkg", "an arm64 compiler", "gpg", "root"], "a signed release", () => {
  let made: TemporaryDirectory;
  let release: Release;
  const at = (name: string): string => join(made.path, name);
  /** Makes a key in a home of its own and returns the variables with which a release is signed. */
  const throwAwayKey = (name: string): Record<string, string> => {
    const home = at(`gnupg-${name}`);
    mkdirSync(home, { mode: 0o700 });
    const user = `${name} <${name}@nvoci.invalid>`;
    const words = ["--batch", "--passphrase", "", "--quick-generate-key", user, "ed25519", "sign", "never"];
    mustRun(["gpg", ...words], { env: { PATH, GNUPGHOME: home } });
    return { GNUPGHOME: home, NVOCI_SIGNING_KEY: user };
  };
  beforeAll(() => {
    made = temporaryDirectory("signed");
    release = packageCopy(at("release"), ["--native-only"], throwAwayKey("publisher"));
  });
  afterAll(() => {
    for (const home of ["gnupg-publisher", "gnupg-somebody"])
      runCommand(["gpgconf", "--kill", "all"], { env: { PATH, GNUPGHOME: at(home) } });
    made?.remove();
  });
  const key = (): string => join(release.path, "nvoci-signing-key.asc");

  it("has sums that the published key signed", () => {
    const keyring = at("keyring.gpg");
    mustRun(["gpg", "--batch", "--output", keyring, "--dearmor", key()], {
      env: { PATH, GNUPGHOME: made.path },
    });
    const gpgv = (file: string) =>
      runCommand(["gpgv", "--keyring", keyring, join(release.path, "SHA256SUMS.asc"), file]);
    expect(gpgv(join(release.path, "SHA256SUMS")).status).toBe(0);
    copyFileSync(join(release.path, "SHA256SUMS"), at("other-sums"));
    appendFileSync(at("other-sums"), "\n");
    expect(gpgv(at("other-sums")).status).not.toBe(0);
    mustRun(["sha256sum", "--check", "--strict", "SHA256SUMS"], { cwd: release.path });
  });

  it("is not made if the key cannot sign", () => {
    vi.stubEnv("GNUPGHOME", made.path);
    vi.stubEnv("NVOCI_SIGNING_KEY", "nobody@nvoci.invalid");
    const directory = at("unsigned");
    cpSync(release.path, directory, { recursive: true });
    expect(() => signRelease(directory)).toThrow(/Cannot run "gpg .*nobody@nvoci\.invalid/);
    vi.unstubAllEnvs();
  });

  describeNeeding(["namespaces", "overlayfs"], "as an apt repository", () => {
    let place: PrivateNamespace;
    const root = (): string => at("system/merged");
    const run = (...argv: string[]): CommandResult => place.run(["chroot", root(), ...argv]);
    /** apt-get with only this repository. */
    const apt = (...words: string[]): CommandResult =>
      run(
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        ...["--option=Dir::Etc::SourceList=/tmp/nvoci.list", "--option=Dir::Etc::SourceParts=-"],
        ...["--option=APT::Sandbox::User=root", "--yes", ...words],
      );
    beforeAll(async () => {
      mkdirSync(at("system"));
      place = await openNamespace([
        ...copyOfThisSystem(root(), at("system/layer")),
        // man-db's trigger takes longer than the rest.
        `rm -rf "${root()}/var/lib/apt/lists" "${root()}/var/lib/man-db/auto-update"`,
        `cp -r "${release.path}" "${root()}/tmp/repository"`,
        `echo "deb [signed-by=/tmp/repository/nvoci-signing-key.asc] copy:/tmp/repository ./" >"${root()}/tmp/nvoci.list"`,
      ]);
    });
    afterAll(() => place?.close());

    it("is one whose packages apt installs", () => {
      expect(apt("update")).toMatchObject({ status: 0, stderr: "" });
      expect(apt("install", "--no-install-recommends", "nvoci-compat")).toMatchObject({ status: 0 });
      expect(run("nvidia-container-runtime-hook", "-version").stdout).toContain("nvoci");
      expect(apt("purge", "nvoci-compat", "nvoci").status).toBe(0);
    });

    it.each([
      [
        "whose index was changed",
        "echo >>/tmp/repository/Packages; rm /tmp/repository/Packages.gz",
        "Hash Sum|size",
      ],
      [
        "whose Release was changed",
        "sed -i s/Origin:.nvoci/Origin:.x/ /tmp/repository/InRelease",
        "not signed|BADSIG",
      ],
      ["that is not signed", "rm /tmp/repository/InRelease /tmp/repository/Release.gpg", "not signed"],
    ])("is refused as one %s", (_, change, message) => {
      run("rm", "-rf", "/tmp/repository", "/var/lib/apt/lists");
      place.run(["cp", "-r", release.path, `${root()}/tmp/repository`]);
      expect(run("sh", "-ec", change).status).toBe(0);
      const { status, stderr } = apt("update");
      expect(status).not.toBe(0);
      expect(stderr).toMatch(new RegExp(message));
    });

    it("is refused with another key", () => {
      const env = throwAwayKey("somebody");
      const other = mustRun(["gpg", "--armor", "--export"], { env: { PATH, ...env } });
      run("rm", "-rf", "/tmp/repository", "/var/lib/apt/lists");
      place.run(["cp", "-r", release.path, `${root()}/tmp/repository`]);
      place.run(["sh", "-c", `cat >"${root()}/tmp/repository/nvoci-signing-key.asc"`], { input: other });
      const { status, stderr } = apt("update");
      expect(status).not.toBe(0);
      expect(stderr).toContain("NO_PUBKEY");
    });

    describeNeeding(["mmdebstrap"], "for an image of another architecture", () => {
      it("needs nothing else: mmdebstrap makes a root of the two packages alone", () => {
        const image = at("arm64-root");
        const source = `deb [signed-by=${key()}] copy:${release.path} ./`;
        const words = [
          "--mode=chrootless",
          "--variant=custom",
          "--architectures=arm64",
          "--format=directory",
        ];
        const skipped = ["--skip=check/empty", "--include=nvoci,nvoci-compat"];
        mustRun(["mmdebstrap", ...words, ...skipped, "", image, source], {
          env: { PATH, TMPDIR: made.path },
        });
        const status = readFileSync(join(image, "var/lib/dpkg/status"), "utf8");
        expect([...status.matchAll(/^Status: (.*)$/gm)].map(([, state]) => state)).toEqual([
          "install ok installed",
          "install ok installed",
        ]);
        const own = readFileSync(release.file(/^nvoci-linux-aarch64$/));
        expect(readFileSync(join(image, "usr/bin/nvoci")).equals(own)).toBe(true);
        expect(existsSync(join(image, "etc/docker"))).toBe(false);
      });
    });
  });

  describeNeeding(["squashfs", "systemd", "namespaces", "loop devices"], "as a system extension", () => {
    it("gives a read-only /usr the program when systemd-sysext merges it", async () => {
      const host = at("sysext");
      for (const directory of ["usr/bin", "usr/lib", "var/lib/extensions", "run"])
        mkdirSync(join(host, directory), { recursive: true });
      writeFileSync(join(host, "usr/lib/os-release"), "ID=other\nVERSION_ID=1\n");
      const image = release.file(/^nvoci-[\d.]+-x86-64\.raw$/);
      copyFileSync(image, join(host, "var/lib/extensions", basename(image)));
      // systemd-sysext mounts in a namespace of its own, whose mounts must come back into this one.
      const place = await openNamespace(["mount --make-rshared /", "mount -t tmpfs tmpfs /run"]);
      try {
        const merged = place.run(["systemd-sysext", `--root=${host}`, "merge"]);
        expect(merged).toMatchObject({ status: 0, stderr: expect.stringContaining("Merged extensions") });
        const call = (...words: string[]) => place.run(["chroot", host, ...words]);
        expect(call("/usr/bin/nvoci", "--version").stdout).toMatch(/^nvoci \d/);
        expect(call("/usr/bin/nvidia-container-runtime-hook", "-version").stdout).toContain("nvoci");
        expect(place.run(["touch", join(host, "usr/bin/nvoci")]).stderr).toContain("Read-only");
        expect(place.run(["stat", "--format=%a", join(host, "usr")]).stdout).toBe("755\n");
        expect(place.run(["umount", join(host, "usr")]).status).toBe(0);
      } finally {
        await place.close();
      }
    });

    it("has an image for each architecture, without /etc", () => {
      for (const arch of ["x86-64", "arm64"]) {
        const list = mustRun(["unsquashfs", "-ls", release.file(new RegExp(`-${arch}\\.raw$`))]);
        expect(list).toMatch(new RegExp(`/extension-release\\.nvoci-[\\d.]+-${arch}$`, "m"));
        expect(list).not.toMatch(/squashfs-root\/(?!usr\b)/);
      }
    });
  });

  describe("the distributions' recipes", () => {
    const HOOK = "usr/share/containers/oci/hooks.d/oci-nvoci-prestart.json";
    /** Unpacks a recipe with the source archive beside it. */
    const unpack = (recipe: string): string => {
      const directory = at(`recipe-${recipe}`);
      const tree = at("recipes");
      rmSync(tree, { recursive: true, force: true });
      mkdirSync(tree);
      const archive = release.file(/^nvoci-recipes-/);
      mustRun(["tar", "-xzf", archive, "-C", tree, "--strip-components=1"]);
      cpSync(join(tree, recipe), directory, { recursive: true });
      const source = release.file(/^nvoci-[\d.]+\.tar\.gz$/);
      copyFileSync(source, join(directory, basename(source)));
      return directory;
    };

    describeNeeding(["makepkg"], "PKGBUILD", () => {
      it("makes packages with makepkg, which pacman installs into an empty root", () => {
        const directory = unpack("arch");
        // makepkg refuses to run as root.
        chmodSync(made.path, 0o755);
        mustRun(["chown", "-R", "nobody", directory]);
        const settings = `. /etc/makepkg.conf\nCFLAGS=-O0 PKGEXT=.pkg.tar.gz MAKEFLAGS=-j2\n`;
        writeFileSync(at("makepkg.conf"), settings);
        const makepkg = ["makepkg", "--nodeps", "--config", at("makepkg.conf")];
        mustRun(["setpriv", "--reuid=nobody", "--clear-groups", "--", ...makepkg], {
          cwd: directory,
          env: { PATH, HOME: directory },
          timeout: 110_000,
        });
        const root = at("arch-root");
        mkdirSync(join(root, "db"), { recursive: true });
        const version = /^pkgver=(.*)$/m.exec(readFileSync(join(directory, "PKGBUILD"), "utf8"))?.[1];
        const packages = [`nvoci-${version}-1-x86_64`, `nvoci-compat-${version}-1-any`];
        const files = packages.map((name) => join(directory, `${name}.pkg.tar.gz`));
        const places = ["--root", root, "--dbpath", join(root, "db"), "--cachedir", join(root, "cache")];
        const rest = ["--logfile", "/dev/null", "--config", "/dev/null", "--noconfirm"];
        mustRun(["pacman", "--upgrade", ...places, ...rest, ...files]);
        expect(
          runCommand(["chroot", root, "/usr/bin/nvidia-container-runtime-hook", "-version"]).stdout,
        ).toContain("nvoci");
        const provided = mustRun(["pacman", "--query", "--info", ...places.slice(0, 4), "nvoci-compat"]);
        expect(provided).toMatch(/^Provides +: nvidia-container-toolkit=\d/m);
        expect(existsSync(join(root, HOOK))).toBe(true);
      });
    });

    it("APKBUILD has the source's sum, and functions that make both packages", () => {
      const directory = unpack("alpine");
      // abuild's order and variables. Debian does not have it.
      const lines = [
        `srcdir="$PWD/src"; mkdir -p "$srcdir"`,
        ". ./APKBUILD",
        `test -n "$pkgname$pkgver$pkgrel$pkgdesc$url$license"`,
        `echo "$sha512sums" | grep . | sha512sum --check --strict`,
        `tar -xzf $source -C "$srcdir"`,
        `pkgdir="$PWD/pkg/nvoci"; subpkgdir="$PWD/pkg/compat"; export CFLAGS=-O0`,
        `(cd "$builddir"; build); (cd "$builddir"; package); (compat)`,
      ];
      mustRun(["sh", "-euc", lines.join("\n")], { cwd: directory, env: { PATH }, timeout: 110_000 });
      // abuild refuses manual pages that it has not compressed, which it does only in nvoci-doc.
      expect(existsSync(join(directory, "pkg/compat/usr/share/man"))).toBe(false);
      const merged = at("alpine-root");
      for (const name of ["nvoci", "compat"])
        cpSync(join(directory, "pkg", name), merged, { recursive: true, verbatimSymlinks: true });
      expect(
        runCommand(["chroot", merged, "/usr/bin/nvidia-container-runtime-hook", "-version"]).stdout,
      ).toContain("nvoci");
      for (const file of [
        HOOK,
        "usr/share/licenses/nvoci/copyright",
        "etc/nvidia-container-runtime/config.toml",
      ])
        expect(existsSync(join(merged, file))).toBe(true);
    });

    describeNeeding(["nix"], "the Nix expression", () => {
      it("builds, and its hook file names the program in the store", () => {
        const recipe = unpack("nix");
        const store = at("nix");
        const env = {
          PATH,
          HOME: store,
          NIX_STORE_DIR: `${store}/store`,
          NIX_STATE_DIR: `${store}/var`,
          NIX_LOG_DIR: `${store}/log`,
          NIX_CONF_DIR: `${store}/etc`,
        };
        const standIn = join(repository, "test/support/image/nixpkgs-stand-in.nix");
        const options = [
          "--option",
          "sandbox",
          "false",
          "--option",
          "build-users-group",
          "",
          "--no-out-link",
        ];
        const out = mustRun(["nix-build", standIn, "--arg", "recipe", recipe, ...options], {
          cwd: made.path,
          env,
          timeout: 110_000,
        }).trim();
        const { hook } = JSON.parse(readFileSync(join(out, HOOK.slice("usr/".length)), "utf8"));
        expect(hook.path).toBe(`${out}/bin/nvoci`);
        expect(runCommand([hook.path, "--version"]).stdout).toMatch(/^nvoci \d/);
        expect(existsSync(join(out, "share/licenses/nvoci/copyright"))).toBe(true);
        // nix makes its store read-only.
        mustRun(["chmod", "-R", "u+w", store]);
      });
    });
  });
});
