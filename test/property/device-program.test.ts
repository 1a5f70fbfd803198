import fc from "fast-check";
import { expect, it } from "vitest";
import { missingAccess } from "../../src/execute/cgroup/device-cgroup.ts";
import { extendDeviceProgram } from "../../src/execute/cgroup/device-program.ts";
import type { DeviceRule } from "../../src/plan/operation.ts";
import { constantProgram, majorProgram, runDeviceProgram } from "../support/kernel/device-program.ts";

const number = fc.oneof(fc.nat(3), fc.constantFrom(195, 0xfff));
const access = fc.subarray(["r", "w", "m"], { minLength: 1 }).map((letters) => letters.join(""));
const rule: fc.Arbitrary<DeviceRule> = fc.record({
  type: fc.constantFrom("b", "c"),
  major: number,
  minor: number,
  access,
});

const covers = (granted: DeviceRule, asked: DeviceRule): boolean =>
  granted.type === asked.type &&
  granted.major === asked.major &&
  granted.minor === asked.minor &&
  [...asked.access].every((letter) => granted.access.includes(letter));

it("extendDeviceProgram() allows what a rule covers and leaves the rest to the program", () => {
  const existing = fc.constantFrom(constantProgram(0), constantProgram(1), majorProgram(2));
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 6 }), rule, existing, (rules, asked, program) => {
      const expected = rules.some((granted) => covers(granted, asked)) ? 1 : runDeviceProgram(program, asked);
      expect(runDeviceProgram(extendDeviceProgram(rules, program), asked)).toBe(expected);
    }),
    { numRuns: 3000 },
  );
});

it("missingAccess() is every letter that no line of devices.list grants", () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 6 }), rule, (granted, asked) => {
      const list = granted
        .map(({ type, major, minor, access }) => `${type} ${major}:${minor} ${access}\n`)
        .join("");
      const missing = missingAccess(list, asked);
      for (const letter of asked.access) {
        const has = granted.some((line) => covers(line, { ...asked, access: letter }));
        expect(missing.includes(letter)).toBe(!has);
      }
    }),
    { numRuns: 1000 },
  );
});
