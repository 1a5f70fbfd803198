import { describe, expect, it } from "vitest";
import { repeating, runAttack } from "../../attack/attack.ts";
import { ATTACKS } from "../../attack/attacks.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";

/** Milliseconds per attack and seed. All attacks together stay far below two minutes. */
const TIME = 3_000;
const FIXED = 1;

const SEEDS = [
  ["a fixed seed", FIXED],
  ["a random seed", Math.floor(Math.random() * 2 ** 31)],
] as const;

describeBuilds([...CONTAINER, "strace", "gcc"], "an attack", (build) => {
  // All builds make the same system calls; the native one allows by far the most attacks per second.
  if (build.name !== "native")
    return it("is tried only on the native build", () => expect(["node", "pkg"]).toContain(build.name));

  describe.each(SEEDS)("with %s", (_, seed) => {
    it.each(
      ATTACKS.map((attack) => [attack.name, attack] as const),
    )("of %s does not succeed", async (_, attack) => {
      const outcome = await runAttack(attack, build, seed, TIME);
      expect(outcome.faults, `repeat with: ${repeating(build, outcome)}`).toEqual([]);
    });
  });
});
