import { describe, expect, it } from "vitest";
import { hostPath } from "../../../src/model/paths.ts";
import { checkDocuments } from "../../../src/oci/known-keys.ts";
import { catchError } from "../../support/cli/catch-error.ts";

const BUNDLE = hostPath("/run/c/1");
const check = (spec: string, state?: string): void => checkDocuments(BUNDLE, spec, state);

describe("checkDocuments()", () => {
  it.each([
    ['{"process":{"env":["A=b"],"args":["sh","-c","a \\u0026 b"]},"root":{"path":"r"}}', "what Go writes"],
    ['{"process":{"env":["R=cuda\\u003e=12 \\u003c13","U=\\u2028\\u2029<&>"]}}', "escapes in part"],
    ['{\n\t"process": {"rlimits": [{"hard": 18446744073709551615}]}\n}\n', "64-bit numbers"],
    [
      '{"annotations":{"Path":"1","ENV":"2","env":"3"},"process":{"Cwd":"/"}}',
      "case variants of ignored keys",
    ],
    ['{"process":{"env":["A={\\"env\\":1,\\"env\\":2}"]}}', "keys in a string"],
    ['{"a":{"b":1},"c":{"b":1}}', "a key in two objects"],
  ])("accepts %s", (text) => {
    expect(() => check(text)).not.toThrow();
  });

  it.each([
    ['{"process":{"ENV":["x"]}}', 'line 1, column 13: "ENV" equals "env"'],
    ['{"process":{"env":[]},\n "Process":{}}', 'line 2, column 2: "Process" equals "process"'],
    ['{"proce\u017f\u017f":{}}', 'equals "process"'],
    ['{"linux":{"resources":{"DEVICES":[]}}}', 'line 1, column 24: "DEVICES"'],
    ['{"hoo\u212as":{}}', 'equals "hooks"'],
    ['{"hooks":{"prestart":[{"path":"/a"},{"Path":"/b"}]}}', 'line 1, column 38: "Path"'],
    ['{"mounts":[{"destination":"/a"},\n{"Source":"/b"}]}', 'line 2, column 2: "Source"'],
    ['{"process":{"\\u0045nv":[]}}', 'line 1, column 13: "Env" equals "env"'],
  ])("refuses %s, which Go reads differently", (text, reason) => {
    const error = catchError(() => check(text));
    expect(error).toMatchObject({ code: "spec-invalid", message: expect.stringContaining(reason) });
    expect(error.message).toMatch(/^Cannot read "\/run\/c\/1\/config.json": /);
  });

  it.each([
    ['{"process":{},"root":{},"process":{}}', 'line 1, column 25 repeats the key "process"'],
    ['{"process":{"env":[],\n"\\u0065nv":[]}}', 'line 2, column 1 repeats the key "env"'],
    ['{"annotations":{"a\\u003c":"1","a\\u003c":"2"}}', 'repeats the key "a<"'],
    ['{"mounts":[{"type":"a","type":"b"}]}', 'repeats the key "type"'],
  ])("refuses %s, of which readers use one or both", (text, reason) => {
    expect(catchError(() => check(text)).message).toContain(reason);
  });

  it("refuses a state that a runtime can read differently", () => {
    const error = catchError(() => check("{}", '{"pid":1,"bundle":"/b","Bundle":"/c"}'));
    expect(error).toMatchObject({ code: "state-invalid", message: expect.stringContaining('"Bundle"') });
  });
});
