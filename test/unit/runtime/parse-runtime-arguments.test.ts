import { describe, expect, it } from "vitest";
import { parseRuntimeArguments } from "../../../src/runtime/parse-runtime-arguments.ts";

const parse = (line: string) => parseRuntimeArguments(line === "" ? [] : line.split(" "));

describe("parseRuntimeArguments()", () => {
  it.each([
    ["create c", { creates: true, bundle: undefined, id: "c" }],
    ["run c", { creates: true, id: "c" }],
    ["create --bundle /b c", { creates: true, bundle: "/b", id: "c" }],
    ["create -b /b --pid-file create c", { creates: true, bundle: "/b", id: "c" }],
    ["create c --bundle=/b", { creates: true, bundle: "/b", id: "c" }],
    ["create -bundle /b -b=/x c", { creates: true, bundle: "/b", id: "c" }],
    ["create --bundle /a --bundle /b c", { creates: true, bundle: "/b" }],
    [
      "--root /r --systemd-cgroup --log /l --log-format json create c",
      { creates: true, log: "/l", logFormat: "json" },
    ],
    [
      "--log=/l --log-format=text --debug=true run --detach --keep c",
      { creates: true, log: "/l", logFormat: "text", id: "c" },
    ],
    ["-- create c", { creates: true, id: "c" }],
    ["create -- --bundle", { creates: true, bundle: undefined, id: "--bundle" }],
    ["create --console-socket -- --preserve-fds 3 c", { creates: true, id: "c" }],
    ["create --config /x.json c", { creates: true, config: "/x.json" }],
    ["create --new-switch c", { creates: true, id: "c" }],
  ])("reads %j", (line, expected) => {
    expect(parse(line)).toMatchObject(expected);
  });

  it.each([
    "",
    "--root create",
    "--root create state c",
    "--log create delete create",
    "state create",
    "delete --force create",
    "exec -e create run",
    "kill run KILL",
    "restore --bundle /b create",
    "-- --log create",
    "create --help",
    "create -h c",
    "--version create c",
    "-v run c",
    "--help",
    "- create",
  ])("does not read %j as the creation of a container", (line) => {
    expect(parse(line).creates).toBe(false);
  });

  it.each([
    ["--systemd-cgroup create c", true],
    ["--root /r -systemd-cgroup run c", true],
    ["--systemd-cgroup=true create c", true],
    ["--cgroup-manager=systemd create c", true],
    ["--cgroup-manager systemd create c", true],
    ["--systemd-cgroup=false create c", false],
    ["--cgroup-manager cgroupfs create c", false],
    ["--log systemd-cgroup create --systemd-cgroup c", false],
    ["create systemd-cgroup", false],
  ])("detects from %j whether the cgroup is systemd's", (line, expected) => {
    expect(parse(line).systemdCgroup).toBe(expected);
  });

  it("keeps the log of calls that create no container", () => {
    expect(parse("--log /l --log-format json kill c")).toMatchObject({ log: "/l", logFormat: "json" });
  });

  it("treats an option without its value as having an empty value", () => {
    expect(parse("create c --bundle")).toMatchObject({ creates: true, bundle: "" });
  });
});
