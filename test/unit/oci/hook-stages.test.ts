import { expect, test } from "vitest";
import { HOOK_STAGES, isHookStage } from "../../../src/oci/state.ts";

test("isHookStage() knows every stage and no inherited name", () => {
  expect(Object.keys(HOOK_STAGES).every(isHookStage)).toBe(true);
  expect(["", "PreStart", "prestart ", "constructor", "toString", "__proto__"].some(isHookStage)).toBe(false);
});

test("HOOK_STAGES has no host pid where the container's namespaces are used", () => {
  for (const stage of Object.values(HOOK_STAGES)) {
    if (stage.namespaces === "container") expect(stage.hostPid).toBe(false);
  }
});
