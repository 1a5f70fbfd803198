import type { Architecture } from "./artifact.ts";

/** A file from the repository, or a symbolic link. */
interface Content {
  readonly path: string;
  /** A path in the repository. */
  readonly source?: string;
  /** The link's text. */
  readonly link?: string;
  /** The package contains the file compressed. */
  readonly gzip?: boolean;
  /** The file belongs to the administrator after the installation. */
  readonly conffile?: boolean;
}

interface Package {
  /** Where the program goes, in the one package that has it. That package has the program's architecture. */
  readonly program?: string;
  readonly files: readonly Content[];
  /** Files only for dpkg. */
  readonly debian: readonly Content[];
  /** Files for everybody else. Debian's systems have the text of Apache-2.0 already. */
  readonly others: readonly Content[];
  readonly scripts?: readonly string[];
}

export type PackageName = "nvoci" | "nvoci-compat";

export type Kind = "deb" | "ipk";

const man = (page: string): Content => ({
  path: `usr/share/man/man${page.at(-1)}/${page}.gz`,
  source: `packaging/man/${page}`,
  gzip: true,
});

const documentation = (name: PackageName) => `usr/share/doc/${name}`;

/** The names that installations of the NVIDIA Container Toolkit call. */
const NVIDIA_NAMES = [
  "nvidia-container-runtime",
  "nvidia-container-runtime-hook",
  "nvidia-container-toolkit",
];

/** What the binary packages install, except the program, which comes from the build. */
export const PACKAGES: Readonly<Record<PackageName, Package>> = {
  nvoci: {
    program: "usr/bin/nvoci",
    files: [
      { path: "usr/bin/nvoci-hook", link: "nvoci" },
      { path: "usr/bin/nvoci-runtime", link: "nvoci" },
      ...["nvoci.1", "nvoci-config.5", "nvoci-manifest.5"].map(man),
      { path: "usr/share/man/man8/nvoci-hook.8.gz", link: "../man1/nvoci.1.gz" },
      { path: "usr/share/man/man8/nvoci-runtime.8.gz", link: "../man1/nvoci.1.gz" },
      { path: `${documentation("nvoci")}/examples/config.toml`, source: "packaging/config.toml" },
      { path: `${documentation("nvoci")}/copyright`, source: "packaging/deb/copyright" },
      { path: `${documentation("nvoci")}/changelog.gz`, source: "CHANGELOG.md", gzip: true },
    ],
    debian: [{ path: "usr/share/lintian/overrides/nvoci", source: "packaging/deb/nvoci.lintian-overrides" }],
    others: [{ path: "usr/share/licenses/nvoci/LICENSE", source: "LICENSE" }],
  },
  "nvoci-compat": {
    files: [
      ...NVIDIA_NAMES.map((name) => ({ path: `usr/bin/${name}`, link: "nvoci" })),
      ...["nvidia-container-runtime.8", "nvidia-container-runtime-hook.8"].map(man),
      {
        path: "usr/share/man/man8/nvidia-container-toolkit.8.gz",
        link: "nvidia-container-runtime-hook.8.gz",
      },
      {
        path: "usr/share/containers/oci/hooks.d/oci-nvoci-prestart.json",
        source: "hooks/oci-nvoci-prestart.json",
      },
      {
        path: "etc/nvidia-container-runtime/config.toml",
        source: "packaging/config.toml",
        conffile: true,
      },
      { path: documentation("nvoci-compat"), link: "nvoci" },
    ],
    debian: [],
    others: [],
    scripts: ["preinst", "postinst", "prerm", "postrm"],
  },
};

/** A placeholder in a domain that RFC 2606 reserves. Replace it before you publish packages. */
export const MAINTAINER = "nvoci maintainers <maintainers@nvoci.invalid>";
/** A placeholder too, for formats that demand an address. */
export const HOMEPAGE = "https://nvoci.invalid/";

/** The names of an architecture, by kind of package. */
export const ARCHITECTURES: Readonly<Record<Architecture, Readonly<Record<Kind, string>>>> = {
  x86_64: { deb: "amd64", ipk: "x86_64" },
  aarch64: { deb: "arm64", ipk: "aarch64" },
};
