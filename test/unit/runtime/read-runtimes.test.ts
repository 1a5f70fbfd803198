import { describe, expect, it } from "vitest";
import type { LoadBundle } from "../../../src/load.ts";
import type { HostView } from "../../../src/model/views.ts";
import { configuredRuntimes } from "../../../src/runtime/find-runtime.ts";
import * as runtimesOfConfig from "../../../src/runtime/runtimes-of-config.ts";

const FILE = "/etc/nvidia-container-runtime/config.toml";

/** Reads the runtimes of a config.toml with this text, and reports whether the parser was needed. */
function read(text: string | undefined, environ: readonly string[] = []) {
  const bytes = text === undefined ? undefined : new TextEncoder().encode(text);
  const host = { readFile: (path: string) => (path === FILE ? bytes : undefined) } as unknown as HostView;
  let parsed = false;
  const load: LoadBundle = <Exports>() => {
    parsed = true;
    return runtimesOfConfig as Exports;
  };
  return { runtimes: configuredRuntimes(host, environ, load), parsed };
}

describe("readRuntimes()", () => {
  it.each([
    ["the file is missing", undefined],
    ["the file is empty", ""],
    ["the file has other keys", 'disable-require = true\n[nvidia-container-runtime]\nlog-level = "info"\n'],
    ["the key is in a comment", '[nvidia-container-runtime]\n# runtimes = ["x"]\nmode = "auto" # runtimes\n'],
    ["the rest of the file is broken", "disable-require = = 1\n"],
  ])("returns the default ones without parsing if %s", (_, text) => {
    expect(read(text)).toEqual({ runtimes: ["runc", "crun"], parsed: false });
  });

  it.each([
    ["in its table", '[nvidia-container-runtime]\nruntimes = ["kata"]\n'],
    ["indented and quoted", '[nvidia-container-runtime]\n  "runtimes" = ["kata"]\n'],
    ["with dots", 'nvidia-container-runtime.runtimes = ["kata"]\n'],
    ["in an inline table", 'nvidia-container-runtime = { log-level = "info", runtimes = ["kata"] }\n'],
    ["after CRLF", '[nvidia-container-runtime]\r\nruntimes = ["kata"]\r\n'],
  ])("finds the key %s", (_, text) => {
    expect(read(text)).toEqual({ runtimes: ["kata"], parsed: true });
  });

  it("refuses a file that mentions the key and is not TOML", () => {
    expect(() => read("runtimes = = 1\n")).toThrow(FILE);
  });
});
