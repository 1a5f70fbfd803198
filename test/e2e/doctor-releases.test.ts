import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { builds } from "../support/build/builds.ts";
import { CONTAINER, describeNeeding } from "../support/engines/prerequisites.ts";
import { diagnoseHost, installation } from "../support/host/broken-host.ts";
import { openJetson } from "../support/host/jetson.ts";

/** Manifests of releases and distributions, kept next to the checkout, not in it. */
const COLLECTION = join(import.meta.dirname, "../../../shared/manifests");

/** Those of a whole release: the others are parts, or have placeholders. */
const RELEASE = /^r(\d+\.\d+(?:\.\d+)?)-(?!.*(?:template|sample|initial))/;

const releases = existsSync(COLLECTION)
  ? readdirSync(COLLECTION).flatMap((name) => {
      const release = RELEASE.exec(name)?.[1];
      return release === undefined ? [] : [{ name, release }];
    })
  : [];

describeNeeding(CONTAINER, "nvoci doctor on a board with the files of a real release", () => {
  const [build] = builds();
  it.skipIf(releases.length === 0 || build === undefined)("finds no problem on any", async () => {
    const wrong: string[] = [];
    for (const { name, release } of releases) {
      const directory = join(COLLECTION, name);
      const files = readdirSync(directory).filter((file) => file.endsWith(".csv"));
      // One of them is a directory without its devices.
      if (files.length === 1 && files[0] === "drivers.csv") continue;
      const manifests = Object.fromEntries(
        files.map((file) => [file, readFileSync(join(directory, file), "utf8")]),
      );
      const jetson = await openJetson({ manifests, release, more: installation(build as never) });
      try {
        const { problems } = diagnoseHost(jetson.place);
        wrong.push(...problems.map(({ code, text }) => `${name}: ${code}: ${text}`));
      } finally {
        jetson.close();
      }
    }
    expect(wrong).toEqual([]);
  });
});
