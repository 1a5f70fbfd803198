import { describe, expect, test } from "vitest";
import type { ContainerFacts } from "../../src/discover/container-facts.ts";
import type { Triplet } from "../../src/discover/debian-layout.ts";
import { fromCache } from "../../src/discover/from-cache.ts";
import { gatherFrom } from "../../src/hook/gather.ts";
import { NvociError } from "../../src/model/errors.ts";
import { hostPath } from "../../src/model/paths.ts";
import { parseSpec } from "../../src/oci/spec.ts";
import { DEBIAN_FACTS } from "../support/host/container-facts.ts";
import { type GoldenCase, goldenCases, planText } from "../support/host/golden-case.ts";
import { memoryHost } from "../support/host/memory-host.ts";
import { withBytes } from "../support/host/server-host.ts";

const TRIPLETS: readonly Triplet[] = ["aarch64-linux-gnu", "x86_64-linux-gnu"];

/** What the hook looks at in an image. */
function imageFacts(image: readonly string[], triplet: Triplet): ContainerFacts {
  const tree = memoryHost(image);
  const has = (path: string): boolean => tree.realPath(hostPath(path)) !== undefined;
  return {
    ...DEBIAN_FACTS,
    debianLike: has("/etc/debian_version"),
    hasMultiarchDirectory: has(`/usr/lib/${triplet}`),
    hasProcDriver: has("/proc/driver/nvidia"),
    ldconfig: ["/sbin/ldconfig.real", "/sbin/ldconfig"].find(has),
  };
}

/** The plan for a case, or the text of the error that it ends in. */
function outcome({ host: tree, ldCache, image, config }: GoldenCase, triplet: Triplet): string {
  const container = () => imageFacts(image, triplet);
  const caches = ldCache === undefined ? [] : [["/etc/ld.so.cache", ldCache] as const];
  const host = withBytes(memoryHost([...tree, ...caches.map(([path]) => `file ${path}`)]), new Map(caches));
  try {
    const spec = parseSpec(config, hostPath("/opt/bundle"));
    return planText(
      gatherFrom({ host, triplet, container, prepare: () => [], fromCache }, spec, {
        environ: [],
        config: undefined,
      }),
    );
  } catch (error) {
    if (error instanceof NvociError) return `${error.render()}\n`;
    throw error;
  }
}

// GOLDEN=update npx vitest run --project unit test/golden writes the files anew: read the difference.
describe.each(TRIPLETS)("the plan on %s", (triplet) => {
  test.each(goldenCases(triplet))("is the expected one: $name", (golden) => {
    const actual = outcome(golden, triplet);
    if (process.env.GOLDEN === "update") golden.update(actual);
    else expect(actual).toBe(golden.expected);
  });
});
