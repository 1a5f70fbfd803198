import { describe, expect, it } from "vitest";
import { docker } from "../../../../src/cli/configure/docker.ts";
import type { Registration } from "../../../../src/cli/configure/engine-edit.ts";
import { hostPath } from "../../../../src/model/paths.ts";
import { catchError } from "../../../support/cli/catch-error.ts";
import { memoryHost } from "../../../support/host/memory-host.ts";

const PATH = hostPath("/usr/bin/nvidia-container-runtime");
const NVIDIA: Registration = { name: "nvidia", path: PATH, isDefault: false };
const DEFAULT: Registration = { ...NVIDIA, isDefault: true };
const HOST = memoryHost("");
const file = (text: string | undefined, backup?: string) => ({
  path: hostPath("/etc/docker/daemon.json"),
  text,
  backup,
});
const register = (text: string | undefined, registration = NVIDIA) =>
  docker.register(file(text), registration, HOST);
const unregister = (text: string | undefined, backup?: string) =>
  docker.unregister(file(text, backup), NVIDIA);

describe("docker.register()", () => {
  it("creates a formatted file if none exists", () => {
    const text = register(undefined, DEFAULT);
    expect(JSON.parse(text)).toEqual({ runtimes: { nvidia: { path: PATH } }, "default-runtime": "nvidia" });
    expect(text.split("\n")).toHaveLength(9);
    expect(text.endsWith("}\n")).toBe(true);
  });

  it.each(["", " \n", "{}", "{ }\n"])("adds to the empty file %j", (text) => {
    expect(JSON.parse(register(text))).toEqual({ runtimes: { nvidia: { path: PATH } } });
  });

  it("keeps unknown keys, their order, spacing and large integers", () => {
    const text = `{\n\t"features" : {"cdi":true},\n\t"dns":[ "1.1.1.1" ],\n\t"x": 18446744073709551615\n}\n`;
    const edited = register(text, DEFAULT);
    expect(edited.startsWith(text.slice(0, -3))).toBe(true);
    expect(Object.keys(JSON.parse(edited))).toEqual(["features", "dns", "x", "runtimes", "default-runtime"]);
    expect(edited).toContain('\n\t"default-runtime": "nvidia"\n}');
  });

  it("keeps other runtimes and the arguments of its own", () => {
    const runtimes = {
      kata: { path: "/k" },
      nvidia: { path: "nvidia-container-runtime", runtimeArgs: ["--debug"] },
    };
    const edited = JSON.parse(register(JSON.stringify({ runtimes })));
    expect(edited.runtimes).toEqual({
      kata: { path: "/k" },
      nvidia: { path: PATH, runtimeArgs: ["--debug"] },
    });
  });

  it("changes nothing the second time", () => {
    const once = register('{"a": 1}', DEFAULT);
    expect(register(once, DEFAULT)).toBe(once);
    expect(register(once, NVIDIA)).toBe(once);
  });

  it("uses the requested name", () => {
    const edited = JSON.parse(register("{}", { name: "jetson", path: PATH, isDefault: true }));
    expect(edited).toEqual({ runtimes: { jetson: { path: PATH } }, "default-runtime": "jetson" });
  });

  it.each([
    ["{", "line 1, column 2"],
    ['{\n  "a": 1,\n}\n', "line 3, column 1"],
    ['{\n  "a": 1\n  "b": 2\n}\n', "line 3, column 3"],
    ["// comment\n{}", "line 1, column 1"],
  ])("refuses %j and names the position", (text, place) => {
    const error = catchError(() => register(text));
    expect(error).toMatchObject({ code: "file-invalid" });
    expect((error as Error).message).toContain(place);
  });

  it.each([
    "[]",
    "7",
    '{"runtimes": []}',
    '{"runtimes": {"nvidia": "x"}}',
  ])("refuses %s, which has another shape", (text) => {
    expect(catchError(() => register(text))).toMatchObject({ code: "file-invalid" });
  });
});

describe("docker.unregister()", () => {
  it.each([
    '{\n    "a": 1\n}\n',
    '{"a": [1, 2], "log-driver": "x"}',
    '{\n  "runtimes": {\n    "kata": {"path": "/k"}\n  }\n}',
  ])("restores the text that register() changed: %j", (text) => {
    for (const registration of [NVIDIA, DEFAULT]) {
      expect(unregister(docker.register(file(text), registration, HOST), text)).toBe(text);
    }
  });

  it("removes a file that register() created", () => {
    expect(unregister(register(undefined, DEFAULT))).toBeUndefined();
    expect(unregister(undefined)).toBeUndefined();
  });

  it("keeps an existing file even if nothing is left in it", () => {
    expect(unregister(register("{}"), "{}")).toMatch(/^\{\s*\}$/);
  });

  it("restores the default and the entry", () => {
    const before = JSON.stringify({
      "default-runtime": "kata",
      runtimes: { nvidia: { path: "/opt/other" }, kata: { path: "/k" } },
    });
    expect(JSON.parse(unregister(register(before, DEFAULT), before) ?? "")).toEqual(JSON.parse(before));
  });

  it("leaves later additions and foreign entries alone", () => {
    const later = register("{}", DEFAULT).replace("}}", '},"kata":{"path":"/k"}},"debug":true');
    expect(JSON.parse(unregister(later, "{}") ?? "")).toEqual({
      runtimes: { kata: { path: "/k" } },
      debug: true,
    });
    const foreign = '{"runtimes": {"nvidia": {"path": "/opt/other"}}, "default-runtime": "nvidia"}';
    expect(unregister(foreign)).toBe(foreign);
    const otherDefault =
      '{"runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}, "default-runtime": "kata"}';
    expect(JSON.parse(unregister(otherDefault, "{}") ?? "")).toEqual({ "default-runtime": "kata" });
  });

  it("refuses a file that is not JSON", () => {
    expect(catchError(() => unregister("{,}"))).toMatchObject({ code: "file-invalid" });
  });
});

describe("docker register and unregister", () => {
  it.each([
    "",
    " \n",
    '{"runtimes": null}',
    '{"a": 1, "runtimes": null}',
    "{}",
    '{"runtimes": {}}',
  ])("restore %j", (text) => {
    expect(JSON.parse(unregister(register(text, DEFAULT), text)?.trim() || "null")).toEqual(
      JSON.parse(text.trim() || "null"),
    );
  });
});
