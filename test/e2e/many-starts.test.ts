import { afterAll, beforeAll, expect, it } from "vitest";
import { manyStarts } from "../support/engines/many-starts.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { type Jetson, openJetson } from "../support/host/jetson.ts";

/** Set NVOCI_STARTS for more. */
const STARTS = Number(process.env.NVOCI_STARTS ?? 300);

describeBuilds([...CONTAINER, "cgroup v1"], "starts in sequence", (build) => {
  let jetson: Jetson;
  beforeAll(async () => {
    jetson = await openJetson();
  });
  afterAll(() => jetson?.close());

  it(
    `leave the same files after ${STARTS} as after one`,
    async () => {
      const { first, last } = await manyStarts(build, jetson, STARTS);
      expect(first.processes).toEqual([]);
      expect(first.files.length).toBeGreaterThan(20);
      expect(last).toEqual(first);
    },
    STARTS * 2000,
  );
});
