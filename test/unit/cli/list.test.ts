import { describe, expect, it } from "vitest";
import { containerPath, hostPath } from "../../../src/model/paths.ts";
import type { Operation } from "../../../src/plan/operation.ts";
import { commandContext } from "../../support/cli/command-context.ts";
import { runWords } from "../../support/cli/run-words.ts";

const OPERATIONS: readonly Operation[] = [
  {
    op: "bind-directory",
    hostPath: hostPath("/opt/cuda"),
    path: containerPath("/usr/local/cuda"),
    options: ["ro"],
    source: "config.toml",
  },
  {
    op: "bind-file",
    hostPath: hostPath("/f"),
    path: containerPath("/f"),
    options: ["ro"],
    source: "l4t.csv:2",
  },
  { op: "make-link", path: containerPath("/l"), target: "f", source: "l4t.csv:3" },
  {
    op: "bind-device",
    hostPath: hostPath("/dev/x"),
    path: containerPath("/dev/x"),
    type: "c",
    major: 10,
    minor: 1,
    fileMode: 0o660,
    source: "l4t.csv:1",
  },
  {
    op: "cover-directory",
    path: containerPath("/proc/driver/nvidia"),
    files: [],
    directories: [],
    source: "GPUs",
  },
  {
    op: "bind-socket",
    hostPath: hostPath("/run/s"),
    path: containerPath("/run/s"),
    options: [],
    source: "ipc",
  },
  { op: "allow-devices", rules: [], source: "injected devices" },
];

const list = (...words: string[]): readonly string[] => {
  const context = commandContext({ decision: { operations: OPERATIONS } });
  expect(runWords(["list", ...words], context)).toBe(0);
  return context.printed;
};

describe("nvoci list", () => {
  it("prints the container's paths, one per line, devices first", () => {
    expect(list()).toEqual(["/dev/x", "/usr/local/cuda", "/proc/driver/nvidia", "/f", "/run/s", "/l"]);
  });

  it.each([
    [["--type", "device"], ["/dev/x"]],
    [
      ["--type", "file", "--type", "link"],
      ["/f", "/l"],
    ],
    [
      ["--type", "link", "--type", "device"],
      ["/dev/x", "/l"],
    ],
  ])("prints only what %j selects", (words, paths) => expect(list(...words)).toEqual(paths));

  it("adds type, origin and source with --long", () => {
    expect(list("-l").map((line) => line.split(/ {2,}/))).toEqual([
      ["device", "/dev/x", "/dev/x", "l4t.csv:1"],
      ["directory", "/usr/local/cuda", "/opt/cuda", "config.toml"],
      ["directory", "/proc/driver/nvidia", "generated", "GPUs"],
      ["file", "/f", "/f", "l4t.csv:2"],
      ["socket", "/run/s", "/run/s", "ipc"],
      ["link", "/l", "-> f", "l4t.csv:3"],
    ]);
  });

  it("prints nothing for an empty plan", () => {
    const context = commandContext();
    expect(runWords(["list", "--long"], context)).toBe(0);
    expect(context.printed).toEqual([]);
  });
});
