import { describe, expect, it } from "vitest";
import { containerPath, hostPath } from "../../../src/model/paths.ts";
import type { Operation } from "../../../src/plan/operation.ts";
import { renderOperation } from "../../../src/render/render-plan.ts";

const source = "l4t.csv:1";
const path = containerPath("/c");

describe("renderOperation()", () => {
  it.each([
    [
      { op: "bind-file", hostPath: hostPath("/c"), path, options: ["ro", "nosuid"], source },
      "mount file /c (ro,nosuid)",
    ],
    [
      { op: "bind-directory", hostPath: hostPath("/h"), path, options: ["ro"], source },
      "mount directory /c from /h (ro)",
    ],
    [
      { op: "bind-socket", hostPath: hostPath("/run/s"), path, options: ["nosuid"], source },
      "mount socket /c from /run/s (nosuid)",
    ],
    [
      {
        op: "cover-directory",
        path,
        files: [{ name: "a/params", content: "x", mode: 0o444 }],
        directories: ["gpus/0"],
        source,
      },
      "cover directory /c with a/params, gpus/0",
    ],
    [{ op: "make-link", path, target: "../t", source }, "create link /c -> ../t"],
    [
      {
        op: "bind-device",
        hostPath: hostPath("/c"),
        path,
        type: "c",
        major: 10,
        minor: 2,
        fileMode: 0o60,
        source,
      },
      "add device /c (c 10:2, mode 0060)",
    ],
    [
      {
        op: "update-ldcache",
        ldconfig: { from: "host", path: hostPath("/sbin/ldconfig.real") },
        folders: [containerPath("/a"), containerPath("/b")],
        compatFolder: undefined,
        source,
      },
      "update /etc/ld.so.cache with the host's /sbin/ldconfig.real for /a, /b",
    ],
    [
      {
        op: "update-ldcache",
        ldconfig: { from: "container", path: containerPath("/sbin/ldconfig") },
        folders: [containerPath("/a")],
        compatFolder: containerPath("/compat"),
        source,
      },
      "update /etc/ld.so.cache with the image's /sbin/ldconfig for /compat, /a",
    ],
    [
      { op: "update-musl-path", path, folders: [containerPath("/a"), containerPath("/b")], source },
      "list in /c: /a, /b",
    ],
    [
      {
        op: "allow-devices",
        rules: [
          { type: "c", major: 10, minor: 2, access: "rw" },
          { type: "b", major: 8, minor: 0, access: "rwm" },
        ],
        source,
      },
      "allow in the device cgroup: c 10:2 rw, b 8:0 rwm",
    ],
  ] satisfies [Operation, string][])("prints every member of %j", (operation, line) => {
    expect(renderOperation(operation)).toBe(line);
  });

  it("escapes line breaks and terminal sequences in paths", () => {
    const target = "a\nb\u001b[2J";
    expect(renderOperation({ op: "make-link", path, target, source })).toBe(
      'create link /c -> "a\\nb\\u001b[2J"',
    );
  });
});
