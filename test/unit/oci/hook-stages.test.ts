import { expect, it } from "vitest";
import { HOOK_STAGES, isHookStage } from "../../../src/oci/state.ts";

it("isHookStage() accepts every stage and no inherited name", () => {
  expect(Object.keys(HOOK_STAGES).every(isHookStage)).toBe(true);
  expect(["", "PreStart", "prestart ", "constructor", "toString", "__proto__"].some(isHookStage)).toBe(false);
});

it("HOOK_STAGES has no host pid for stages in the container's namespaces", () => {
  for (const stage of Object.values(HOOK_STAGES)) {
    if (stage.namespaces === "container") expect(stage.hostPid).toBe(false);
  }
});
