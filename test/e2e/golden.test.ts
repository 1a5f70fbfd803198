import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createFakeHost } from "../../fixtures/host/fake-host.ts";
import { yoctoEntries } from "../../fixtures/host/fake-l4t.ts";
import { TRIPLET } from "../../fixtures/rootfs.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { describeBuilds, describeNeeding } from "../support/engines/prerequisites.ts";
import { type GoldenCase, goldenCases, isFlat, planText } from "../support/host/golden-case.ts";
import { treeLineEntry } from "../support/host/tree-line-entry.ts";

const BUNDLE = "/opt/bundle";
const LD_CACHE = "/etc/ld.so.cache";

/** Returns a program's plan for a case on the real kernel, or the text of its error. */
async function outcome(program: readonly string[], golden: GoldenCase): Promise<string> {
  const host = createFakeHost([
    ...golden.host.map((line) => treeLineEntry(line)),
    golden.ldCache === undefined
      ? ({ kind: "hidden", path: LD_CACHE } as const)
      : ({ kind: "file", path: LD_CACHE, content: golden.ldCache } as const),
    // The Node.js program needs a real C library.
    ...(isFlat(golden) ? yoctoEntries() : []),
    ...golden.image.map((line) => treeLineEntry(line, `${BUNDLE}/rootfs`)),
    { kind: "file", path: `${BUNDLE}/config.json`, content: golden.config },
  ]);
  const place = await host.open();
  try {
    const { stdout, stderr } = place.run([...program, "plan", "--json", "--bundle", BUNDLE], { env: {} });
    return stdout === "" ? stderr : planText(JSON.parse(stdout));
  } finally {
    place.close();
    host.remove();
  }
}

describeBuilds(["root", "namespaces", "overlayfs"], "the plan of the program", (build) => {
  it.each(goldenCases(TRIPLET))("matches the golden file: $name", async (golden) => {
    expect(await outcome([build.path], golden)).toBe(golden.expected);
  });
});

describeNeeding(
  ["root", "namespaces", "overlayfs", "an arm64 compiler", "qemu"],
  "the plan of the arm64 program, emulated",
  () => {
    const directory = temporaryDirectory("arm64");
    const program = ["/usr/bin/qemu-aarch64-static", join(directory.path, "native/nvoci-linux-aarch64")];
    beforeAll(() => {
      const words = [
        "build/run-typescript.mjs",
        "build/build.ts",
        "--arch",
        "aarch64",
        "--out",
        directory.path,
      ];
      mustRun([process.execPath, ...words], { cwd: join(import.meta.dirname, "../.."), timeout: 600_000 });
    }, 600_000);
    afterAll(() => directory.remove());

    it.each(goldenCases("aarch64-linux-gnu"))("matches the golden file: $name", async (golden) => {
      expect(await outcome(program, golden)).toBe(golden.expected);
    });
  },
);
