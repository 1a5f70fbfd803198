import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandResult, runCommand } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { describeBuilds } from "../support/engines/prerequisites.ts";
import { installLinks } from "../support/engines/wrapper.ts";

const ASKS = "NVIDIA_VISIBLE_DEVICES=all";

/** Returns the text of a config.json with the given members of `process` and of the root object, and a value. */
const spec = ({ process = `"env":["${ASKS}"]`, more = "", value = "1" } = {}): string =>
  `{"ociVersion":"1.0.2",\n"process":{${process}},"root":{"path":"rootfs"},"x":${value}${more}}`;

const state = (bundle: string, more = ""): string =>
  `{"ociVersion":"1.0.2","id":"c","status":"created","pid":${process.pid},"bundle":${JSON.stringify(bundle)}${more}}`;

/** Documents that Go's encoding/json and QuickJS read differently, and what our error contains. */
const SPECS: readonly (readonly [name: string, text: string, says: string])[] = [
  ["ENV next to env", spec({ process: `"env":[],"ENV":["${ASKS}"]` }), 'line 2, column 21: "ENV"'],
  ["ENV alone", spec({ process: `"ENV":["${ASKS}"]` }), 'line 2, column 12: "ENV"'],
  ["Process", spec({ more: `,"Process":{"env":["${ASKS}"]}` }), '"Process"'],
  ["proce\u017f\u017f", spec({ more: `,"proce\u017f\u017f":{"env":["${ASKS}"]}` }), "proce"],
  ["hoo\u212as", spec({ more: ',"hoo\u212as":{}' }), "hoo"],
  ["Linux", spec({ more: ',"Linux":{"devices":[]}' }), '"Linux"'],
  ["two process objects", spec({ more: `,"process":{"env":["${ASKS}"]}` }), 'repeats the key "process"'],
  ["a repeated env", spec({ process: `"env":["${ASKS}"],"env":["A=b"]` }), 'repeats the key "env"'],
  [
    "a repeated env with an escape",
    spec({ process: `"env":["${ASKS}"],"\\u0065nv":[]` }),
    'repeats the key "env"',
  ],
  ["an escape by \\x", spec({ value: '"\\x41"' }), "is not JSON"],
  ["an escaped apostrophe", spec({ value: '"\\\'"' }), "is not JSON"],
  ["an escape \\v", spec({ value: '"\\v"' }), "is not JSON"],
  ["a line continuation", spec({ value: '"a\\\nb"' }), "is not JSON"],
  ["an escape \\0", spec({ value: '"\\0"' }), "is not JSON"],
  ["an escape with braces", spec({ value: '"\\u{41}"' }), "is not JSON"],
  ["a number that ends with its decimal point", spec({ value: "5." }), "is not JSON"],
  ["a number with leading zeros", spec({ value: "-01" }), "is not JSON"],
  ["a trailing comma", spec({ more: "," }), "is not JSON"],
  ["a control character", spec({ value: '"\u0001"' }), "is not JSON"],
  ["a byte order mark", `\ufeff${spec()}`, "line 1, column 1"],
];

describeBuilds([], "a document that runtimes read differently", (build) => {
  let temporary: TemporaryDirectory;
  let wrapper: string;
  const file = (): string => join(temporary.path, "config.json");
  beforeAll(() => {
    temporary = temporaryDirectory("documents");
    wrapper = installLinks(build, join(temporary.path, "bin"));
    // Replaces runc. If it runs, the bundle was not refused.
    writeFileSync(join(temporary.path, "runtime"), "#!/bin/sh\necho started\n", { mode: 0o755 });
    writeFileSync(
      join(temporary.path, "config.toml"),
      `[nvidia-container-runtime]\nruntimes = ["${join(temporary.path, "runtime")}"]\n`,
    );
  });
  afterAll(() => temporary.remove());

  const runHook = (input: string): CommandResult => runCommand([build.path, "hook", "prestart"], { input });
  const runWrapper = (): CommandResult =>
    runCommand([wrapper, "create", "--bundle", temporary.path, "c"], {
      env: { NVIDIA_CTK_CONFIG_FILE_PATH: join(temporary.path, "config.toml"), PATH: "/usr/bin:/bin" },
    });

  describe.each([
    ["hook", () => runHook(state(temporary.path))],
    ["wrapper", runWrapper],
  ] as const)("stops the %s", (_, run) => {
    it.each(SPECS)("that reads %s, before it changes anything", (_, text, says) => {
      writeFileSync(file(), text);
      const { status, stdout, stderr } = run();
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr.split("\n")[0]).toMatch(/^nvoci: Cannot read ".*config\.json": line \d+, column \d+/);
      expect(stderr).toContain(says);
      expect(readFileSync(file(), "utf8")).toBe(text);
    });

    it("only for a container that requests GPUs", () => {
      writeFileSync(file(), spec({ process: '"env":["A=b"]', more: ',"Annotations":{"a":"1","a":"2"}' }));
      expect(run()).toMatchObject({ status: 0, stderr: "" });
    });

    it("but not for documents that container engines write", () => {
      const process =
        '"env":["A=b"],"args":["sh","-c","a \\u0026\\u0026 b"],"rlimits":[{"hard":18446744073709551615}]';
      writeFileSync(file(), `${spec({ process: `${process},"cwd":"${"NVIDIA_VISIBLE_DEVICES"}"` })}\n`);
      expect(run()).toMatchObject({ status: 0, stderr: "" });
    });
  });

  it.each([
    [',"Bundle":"/"', '"Bundle"'],
    [',"PID":1', '"PID"'],
    [',"pid":1', 'repeats the key "pid"'],
    [',"x":"\\x41"', "is not JSON"],
  ])("stops the hook that reads a state with %s", (more, says) => {
    writeFileSync(file(), spec());
    const { status, stderr } = runHook(state(temporary.path, more));
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(says) });
    expect(stderr).toMatch(/^nvoci: Cannot read "the OCI state": line 1, column \d+/);
  });

  // Node.js itself needs a larger stack.
  if (build.name === "native") {
    it("is refused when its nesting exceeds a small stack", () => {
      writeFileSync(file(), spec({ value: "[".repeat(3000) + "]".repeat(3000) }));
      const small = ["prlimit", "--stack=262144", build.path, "hook", "prestart"];
      expect(runCommand(small, { input: state(temporary.path) })).toEqual({
        status: 1,
        stdout: "",
        stderr: expect.stringMatching(/^nvoci: Cannot read ".*config\.json": it is nested too deeply\n$/),
      });
    });
  }

  it("is refused unless it is valid JSON, even if the JavaScript engine's parser accepts it", () => {
    const good = '[-1.5e3,"\\u00e9\\n\\"",true,{"a":[]}]';
    const bits = [
      "\\",
      "\\x41",
      "\\'",
      "\\v",
      "\\0",
      "\\\n",
      ".",
      "0",
      "-",
      "+",
      "e",
      ",",
      "'",
      "_",
      "\u000b",
      "//",
      "\t",
      '"',
    ];
    const mutated = fc
      .tuple(fc.nat({ max: good.length }), fc.nat({ max: 2 }), fc.constantFrom(...bits))
      .map(([at, cut, put]) => spec({ value: good.slice(0, at) + put + good.slice(at + cut) }));
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(mutated, (text) => {
        fc.pre(!isJson(text));
        writeFileSync(file(), text);
        const { status, stderr } = runHook(state(temporary.path));
        expect({ status, stderr }).toEqual({
          status: 1,
          stderr: expect.stringMatching(/line \d+, column \d+/),
        });
      }),
      { numRuns: build.name === "native" ? 300 : 10 },
    );
  });
});
