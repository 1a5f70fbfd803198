import { describe, expect, it } from "vitest";
import { type JsonPath, type JsonText, removeJson, setJson } from "../../../src/json/edit-json.ts";
import { catchError } from "../../support/cli/catch-error.ts";

const json = (text: string): JsonText => ({ name: "x.json", code: "spec-invalid", text });
const set = (text: string, path: JsonPath, value: unknown) => setJson(json(text), path, value).text;
const remove = (text: string, path: JsonPath) => removeJson(json(text), path).text;

describe("setJson()", () => {
  it.each([
    ['{"a":1}', '{"a":1,"b":{"c":2}}'],
    ['{"a": 1, "x": 2}', '{"a": 1, "x": 2, "b": {"c":2}}'],
    ['{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "b": {\n    "c": 2\n  }\n}\n'],
    ['{\n\t"b": {\n\t\t"x": 1\n\t}\n}', '{\n\t"b": {\n\t\t"x": 1,\n\t\t"c": 2\n\t}\n}'],
    ['{\r\n  "a": 1\r\n}\r\n', '{\r\n  "a": 1,\r\n  "b": {\n    "c": 2\n  }\r\n}\r\n'],
    ['{"b":null}', '{"b":{"c":2}}'],
    ['{"b":{}}', '{"b":{"c":2}}'],
    ["{}", '{"b": {"c":2}}'],
    ['{"b":{"c":[1,{"c":9}],"d":1}}', '{"b":{"c":2,"d":1}}'],
    ['{"b":{"c":1},"b":{"c":3}}', '{"b":{"c":1},"b":{"c":2}}'],
    ['{"x":"\\"b\\":{","b":{"c":"}"}}', '{"x":"\\"b\\":{","b":{"c":2}}'],
    ['{"\\u0062":{"c":1}}', '{"\\u0062":{"c":2}}'],
    ['\ufeff{"b":{"c":1}}', '\ufeff{"b":{"c":2}}'],
  ])("changes %j to %j", (text, expected) => {
    expect(set(text, ["b", "c"], 2)).toBe(expected);
  });

  it.each([
    '{"b":1}',
    '{"b":[]}',
    '{"b":"x"}',
    '{"b":true}',
  ])("refuses to descend into anything but an object: %s", (text) => {
    expect(catchError(() => set(text, ["b", "c"], 2))).toMatchObject({ code: "spec-invalid" });
  });
});

describe("removeJson()", () => {
  it.each([
    ['{"a":1}', "{}"],
    ['{"a":1,"b":2}', '{"b":2}'],
    ['{"b":2,"a":1}', '{"b":2}'],
    ['{"b":2, "a":[{}], "c":3}', '{"b":2, "c":3}'],
    ['{\n  "a": 1,\n  "b": 2\n}', '{\n  "b": 2\n}'],
    ['{\n  "b": 2,\n  "a": 1\n}', '{\n  "b": 2\n}'],
    ['{"b":2}', '{"b":2}'],
  ])("changes %j to %j", (text, expected) => {
    expect(remove(text, ["a"])).toBe(expected);
  });

  it("ignores missing members", () => {
    expect(remove('{"a":null}', ["a", "b"])).toBe('{"a":null}');
    expect(remove("{}", ["a", "b"])).toBe("{}");
  });
});
