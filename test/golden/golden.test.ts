import { describe, expect, it } from "vitest";
import { decide } from "../../src/cli/imaginary-container.ts";
import { NvociError } from "../../src/model/errors.ts";
import { type Arch, machineOf } from "../../src/model/machine.ts";
import { hostPath } from "../../src/model/paths.ts";
import { parseSpec } from "../../src/oci/spec.ts";
import { type GoldenCase, goldenCases, planText } from "../support/host/golden-case.ts";
import { memoryHost } from "../support/host/memory-host.ts";
import { memoryImage } from "../support/host/memory-image.ts";
import { withBytes } from "../support/host/server-host.ts";

const ARCHITECTURES: readonly Arch[] = ["arm64", "x64"];

/** The plan for a case, or the text of the error that it ends in. */
function outcome({ host: tree, ldCache, image, config }: GoldenCase, arch: Arch): string {
  const caches = ldCache === undefined ? [] : [["/etc/ld.so.cache", ldCache] as const];
  const host = withBytes(memoryHost([...tree, ...caches.map(([path]) => `file ${path}`)]), new Map(caches));
  try {
    const spec = parseSpec(config, hostPath("/opt/bundle"));
    return planText(decide(spec, { host, image: memoryImage(image), arch, environ: [], config: undefined }));
  } catch (error) {
    if (error instanceof NvociError) return `${error.render()}\n`;
    throw error;
  }
}

// GOLDEN=update npx vitest run --project unit test/golden writes the files anew: read the difference.
describe.each(ARCHITECTURES)("the plan on %s", (arch) => {
  it.each(goldenCases(machineOf(arch).triplet))("is the expected one: $name", (golden) => {
    const actual = outcome(golden, arch);
    if (process.env.GOLDEN === "update") golden.update(actual);
    else expect(actual).toBe(golden.expected);
  });
});
