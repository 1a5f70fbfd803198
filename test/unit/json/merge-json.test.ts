import { describe, expect, it } from "vitest";
import { type JsonAdditions, mergeJson } from "../../../src/json/merge-json.ts";
import { catchError } from "../../support/cli/catch-error.ts";

const merge = (text: string, additions: JsonAdditions) =>
  mergeJson({ name: "x.json", code: "spec-invalid", text }, additions).text;

describe("mergeJson()", () => {
  it.each([
    ['{"a":[1]}', '{"a":[1,2,3]}'],
    ['{"a":[1, 7]}', '{"a":[1, 7, 2, 3]}'],
    ['{"a":[]}', '{"a":[2,3]}'],
    ['{"a":null}', '{"a":[2,3]}'],
    ['{"b":[]}', '{"b":[],"a":[2,3]}'],
    ['{\n  "a": [\n    1\n  ]\n}', '{\n  "a": [\n    1,\n    2,\n    3\n  ]\n}'],
    ['{\n  "a": []\n}', '{\n  "a": [\n    2,\n    3\n  ]\n}'],
  ])("changes %j to %j", (text, expected) => {
    expect(merge(text, { a: [2, 3] })).toBe(expected);
  });

  it("changes and creates nothing without items", () => {
    expect(merge('{"b": 1}', { a: [], c: { d: [], e: {} } })).toBe('{"b": 1}');
  });

  it.each(['{"a":{}}', '{"a":"[]"}', '{"a":0}'])("refuses to add to anything but a list: %s", (text) => {
    expect(catchError(() => merge(text, { a: [1] }))).toMatchObject({ code: "spec-invalid" });
  });

  const ADDITIONS = { linux: { devices: [1], resources: { devices: [2] } }, hooks: { prestart: [3] } };

  it.each([
    ["{}", '{"linux": {"devices":[1],"resources":{"devices":[2]}},"hooks": {"prestart":[3]}}'],
    [
      '{"linux":{"resources":{"devices":[9]},"devices":null},"hooks":{},"x":18446744073709551615}',
      '{"linux":{"resources":{"devices":[9,2]},"devices":[1]},"hooks":{"prestart":[3]},"x":18446744073709551615}',
    ],
    [
      '{"hooks":null,"linux":{"resources":{"a":[{"b":"]"}]}},"linux":{"resources":{}}}',
      '{"hooks":{"prestart":[3]},"linux":{"resources":{"a":[{"b":"]"}]}},"linux":{"resources":{"devices":[2]},"devices":[1]}}',
    ],
    [
      '{\n  "linux": {\n    "devices": []\n  }\n}\n',
      '{\n  "linux": {\n    "devices": [\n      1\n    ],\n    "resources": {\n      "devices": [\n        2\n      ]\n    }\n  },\n  "hooks": {\n    "prestart": [\n      3\n    ]\n  }\n}\n',
    ],
  ])("makes all additions at once: %j to %j", (text, expected) => {
    expect(merge(text, ADDITIONS)).toBe(expected);
  });

  it.each([
    '{"a":[]}',
    '{"a":"{}"}',
    '{"a":1}',
  ])("refuses to descend into anything but an object: %s", (text) => {
    expect(catchError(() => merge(text, { a: { b: [1] } }))).toMatchObject({
      code: "spec-invalid",
      message: 'Cannot read "x.json": a must be an object',
    });
  });

  it("does not repeat white space that is longer than the rest", () => {
    const text = `{"a":[1,${" ".repeat(100_000)}2]}`;
    const items = Array.from({ length: 100 }, () => 0);
    expect(merge(text, { a: items }).length).toBeLessThan(text.length + 300);
    const indented = `{\n${" ".repeat(100_000)}"b": 1\n}`;
    expect(merge(indented, { a: items }).length).toBeLessThan(indented.length + 100_000);
  });
});
