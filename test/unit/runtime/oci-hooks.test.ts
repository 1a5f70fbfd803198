import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseHookArguments } from "../../../src/hook/arguments.ts";
import { HOOK_STAGES, isHookStage } from "../../../src/oci/state.ts";

interface HookFile {
  readonly version: string;
  readonly hook: { readonly path: string; readonly args: readonly string[]; readonly env: readonly string[] };
  readonly when: Readonly<Record<string, unknown>>;
  readonly stages: readonly string[];
}

const DIRECTORY = join(import.meta.dirname, "../../../hooks");
const names = readdirSync(DIRECTORY).filter((name) => name.endsWith(".json"));

/** @see oci-hooks(5), "1.0.0 Hook Schema" */
describe.each(names)("hooks/%s", (name) => {
  const file = JSON.parse(readFileSync(join(DIRECTORY, name), "utf8")) as HookFile;

  it("has the members of schema 1.0.0 and no others", () => {
    expect(file.version).toBe("1.0.0");
    expect(Object.keys(file).sort()).toEqual(["hook", "stages", "version", "when"]);
    expect(Object.keys(file.hook).sort()).toEqual(["args", "env", "path"]);
  });

  it("names an absolute path and sets its own environment", () => {
    expect(file.hook.path).toMatch(/^\//);
    expect(file.hook.env).toEqual([expect.stringMatching(/^PATH=\/[^=]+$/)]);
  });

  it("calls the hook at the stage in its name, one that runs in the host's namespaces", () => {
    const [program, word, ...rest] = file.hook.args;
    expect([program, word]).toEqual(["nvoci", "hook"]);
    const { command = "" } = parseHookArguments(rest);
    expect(file.stages).toEqual([command]);
    expect(isHookStage(command) && HOOK_STAGES[command].hostPid).toBe(true);
  });

  it("applies to every container: the engine does not decide which ones request GPUs", () => {
    expect(file.when).toEqual({ always: true });
  });
});

it("hooks/ has a file for each of the two stages", () => {
  expect(names).toEqual(["oci-nvoci-create-runtime.json", "oci-nvoci-prestart.json"]);
});
