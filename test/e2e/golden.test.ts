import { expect, test } from "vitest";
import { createFakeHost } from "../../fixtures/host/fake-host.ts";
import { yoctoEntries } from "../../fixtures/host/fake-l4t.ts";
import { TRIPLET } from "../../fixtures/rootfs.ts";
import type { Build } from "../support/build/builds.ts";
import { describeBuilds } from "../support/engines/prerequisites.ts";
import { type GoldenCase, goldenCases, isFlat, planText } from "../support/host/golden-case.ts";
import { treeLineEntry } from "../support/host/tree-line-entry.ts";

const BUNDLE = "/opt/bundle";
const LD_CACHE = "/etc/ld.so.cache";

/** What a build plans for a case on the real kernel, or the text of its error. */
async function outcome(build: Build, golden: GoldenCase): Promise<string> {
  const host = createFakeHost([
    ...golden.host.map((line) => treeLineEntry(line)),
    golden.ldCache === undefined
      ? ({ kind: "hidden", path: LD_CACHE } as const)
      : ({ kind: "file", path: LD_CACHE, content: golden.ldCache } as const),
    // A real C library, since the program of Node.js needs one.
    ...(isFlat(golden) ? yoctoEntries() : []),
    ...golden.image.map((line) => treeLineEntry(line, `${BUNDLE}/rootfs`)),
    { kind: "file", path: `${BUNDLE}/config.json`, content: golden.config },
  ]);
  const place = await host.open();
  try {
    const { stdout, stderr } = place.run([build.path, "plan", "--json", "--bundle", BUNDLE], { env: {} });
    return stdout === "" ? stderr : planText(JSON.parse(stdout));
  } finally {
    place.close();
    host.remove();
  }
}

describeBuilds(["root", "namespaces", "overlayfs"], "the plan of the program", (build) => {
  test.each(goldenCases(TRIPLET))("is the one that the files say: $name", async (golden) => {
    expect(await outcome(build, golden)).toBe(golden.expected);
  });
});
