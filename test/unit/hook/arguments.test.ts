import { describe, expect, it } from "vitest";
import { parseHookArguments } from "../../../src/hook/arguments.ts";
import { EXIT } from "../../../src/model/errors.ts";
import { catchError } from "../../support/cli/catch-error.ts";

const NOTHING = { command: undefined, config: undefined, debug: false, version: false, help: false };

describe("parseHookArguments()", () => {
  it.each<[readonly string[], object]>([
    [[], {}],
    [["prestart"], { command: "prestart" }],
    [["-debug", "prestart"], { command: "prestart", debug: true }],
    [["--debug", "prestart"], { command: "prestart", debug: true }],
    [["-config", "/a b", "prestart"], { command: "prestart", config: "/a b" }],
    [["--config=/a=b", "prestart"], { command: "prestart", config: "/a=b" }],
    [["-config", "-x", "prestart"], { command: "prestart", config: "-x" }],
    [["-config=/a", "-config=/b"], { config: "/b" }],
    [["-version"], { version: true }],
    [["-help"], { help: true }],
    [["--h"], { help: true }],
    [["-debug=false", "prestart"], { command: "prestart" }],
    [["-debug", "-debug=0", "prestart"], { command: "prestart" }],
    [["-debug=T"], { debug: true }],
    [["--", "prestart"], { command: "prestart" }],
    [["-debug", "--", "-x"], { command: "-x", debug: true }],
    [["-"], { command: "-" }],
    [["--"], {}],
    [[""], { command: "" }],
  ])("reads %j", (words, expected) => {
    expect(parseHookArguments(words)).toEqual({ ...NOTHING, ...expected });
  });

  it.each([
    [["-verbose"]],
    [["--configuration", "/a"]],
    [["-debug=maybe", "prestart"]],
    [["-debug=", "prestart"]],
    [["-debug=TrUe"]],
    [["-config"]],
    [["-config="]],
    [["-config", ""]],
    [["prestart", "-debug"]],
    [["prestart", "poststop"]],
    [["-__proto__=1"]],
    [["-x\n-y"]],
  ])("refuses %j", (words) => {
    const error = catchError(() => parseHookArguments(words));
    expect(error).toMatchObject({ code: "usage", exitCode: EXIT.usage });
    expect(error.message).not.toContain("\n");
    expect(error.lines.length).toBeGreaterThan(5);
  });
});
