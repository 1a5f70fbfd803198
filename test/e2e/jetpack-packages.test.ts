import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { packageCopy, type Release } from "../support/build/release.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";

/** Names of installed packages with their versions and dependencies. */
type Installed = Readonly<Record<string, readonly [version: string, depends: string]>>;

/** The packages of a JetPack that matter here: metapackages depend on exact versions. */
const JETPACK: Installed = {
  "nvidia-container-toolkit-base": ["1.16.2-1", ""],
  "nvidia-container-toolkit": ["1.16.2-1", "nvidia-container-toolkit-base (= 1.16.2-1)"],
  "nvidia-container": ["6.2.1", "nvidia-container-toolkit (= 1.16.2-1)"],
  "nvidia-jetpack": ["6.2.1", "nvidia-container (= 6.2.1), nvidia-cuda (= 6.2.1)"],
  "nvidia-cuda": ["6.2.1", ""],
};

/** NVIDIA's packages, and others that depend on at least these versions. */
const DEPENDENTS: Installed = {
  "nvidia-container-toolkit-base": ["1.17.9-1", ""],
  "nvidia-container-toolkit": ["1.17.9-1", "nvidia-container-toolkit-base (= 1.17.9-1)"],
  "nvidia-docker2": ["2.14.0-1", "nvidia-container-toolkit (>= 1.17.9-1)"],
  "nvidia-container-toolkit-operator-extensions": ["1.17.9-1", "nvidia-container-toolkit-base (>= 1.17.9-1)"],
};

describeNeeding(["make", "dpkg", "apt", "an arm64 compiler"], "apt on a system like JetPack's", () => {
  let made: TemporaryDirectory;
  let release: Release;
  beforeAll(() => {
    made = temporaryDirectory("jetpack");
    release = packageCopy(join(made.path, "release"));
  });
  afterAll(() => made?.remove());

  /** Simulates an installation on a system that has packages. Returns apt's actions. */
  const simulate = (installed: Installed, ...files: RegExp[]): readonly string[] => {
    const state = join(made.path, "apt");
    for (const directory of ["lists/partial", "archives/partial", "etc"])
      mkdirSync(join(state, directory), { recursive: true });
    const entries = Object.entries(installed).map(([name, [version, depends]]) =>
      [
        `Package: ${name}`,
        "Status: install ok installed",
        `Version: ${version}`,
        "Architecture: amd64",
        "Maintainer: x <x@example.com>",
        "Description: x",
        ...(depends === "" ? [] : [`Depends: ${depends}`]),
      ].join("\n"),
    );
    writeFileSync(join(state, "status"), `${entries.join("\n\n")}\n`);
    const options = [
      `Dir::State=${state}`,
      `Dir::State::status=${state}/status`,
      `Dir::State::lists=${state}/lists`,
      `Dir::Cache=${state}`,
      `Dir::Etc=${state}/etc`,
      "APT::Architecture=amd64",
    ].flatMap((option) => ["-o", option]);
    const words = [
      "-s",
      "-y",
      "--no-install-recommends",
      "install",
      ...files.map((file) => release.file(file)),
    ];
    const { PATH = "" } = process.env;
    const output = mustRun(["apt-get", ...options, ...words], { env: { PATH, LC_ALL: "C" } });
    return [...output.matchAll(/^(Inst|Remv) (\S+)/gm)].map(([, action, name]) => `${action} ${name}`).sort();
  };

  const PROGRAM = /^nvoci_.*_amd64\.deb$/;
  const COMPAT = /^nvoci-compat_.*\.deb$/;

  it("keeps every package of JetPack when nvoci alone is installed", () => {
    expect(simulate(JETPACK, PROGRAM)).toEqual(["Inst nvoci"]);
  });

  it("removes the metapackages that demand NVIDIA's exact version with nvoci-compat, as the manual says", () => {
    expect(simulate(JETPACK, PROGRAM, COMPAT)).toEqual([
      "Inst nvoci",
      "Inst nvoci-compat",
      "Remv nvidia-container",
      "Remv nvidia-container-toolkit",
      "Remv nvidia-container-toolkit-base",
      "Remv nvidia-jetpack",
    ]);
  });

  it("keeps with nvoci-compat what demands at least a version", () => {
    expect(simulate(DEPENDENTS, PROGRAM, COMPAT)).toEqual([
      "Inst nvoci",
      "Inst nvoci-compat",
      "Remv nvidia-container-toolkit",
      "Remv nvidia-container-toolkit-base",
    ]);
  });
});
