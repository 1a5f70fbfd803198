import { expect, it } from "vitest";
import { extraDirectories } from "../../../src/discover/library-folders.ts";
import { containerPath, hostPath } from "../../../src/model/paths.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";
import { memoryHost } from "../../support/host/memory-host.ts";

const HOST = memoryHost([
  "file /opt/cuda-12.2/lib64/libcudart.so.12",
  "symlink /opt/cuda -> cuda-12.2",
  "symlink /opt/circle -> circle",
  "symlink /opt/dangling -> nowhere",
  "file /opt/file",
  "fifo /opt/pipe",
]);

const find = (...pairs: readonly (readonly [host: string, container: string])[]) =>
  collectFindings((report) =>
    extraDirectories(
      HOST,
      pairs.map(([host, container]) => ({ host: hostPath(host), container: containerPath(container) })),
      report,
    ),
  );

it("extraDirectories() mounts a link's target at the requested path", () => {
  const { value: mounts, findings } = find(["/opt/cuda", "/usr/local/cuda"]);
  expect(findings).toEqual([]);
  expect(mounts).toMatchObject([
    { hostPath: "/opt/cuda-12.2", containerPath: "/usr/local/cuda", kind: "directory" },
  ]);
});

it("extraDirectories() mounts them read-only, nosuid and nodev", () => {
  const { value: mounts } = find(["/opt/cuda-12.2", "/opt/cuda-12.2"]);
  expect(mounts.map(({ options }) => options)).toEqual([["ro", "nosuid", "nodev"]]);
});

it("extraDirectories() keeps the configured order", () => {
  const { value: mounts } = find(["/opt/cuda", "/b"], ["/opt/cuda-12.2/lib64", "/a"]);
  expect(mounts.map((mount) => mount.containerPath)).toEqual(["/b", "/a"]);
});

it.each([
  "/opt/not-there",
  "/opt/dangling",
  "/opt/circle",
])("extraDirectories() reports that %s is missing or dangling and continues", (path) => {
  const { value: mounts, findings } = find([path, "/x"], ["/opt/cuda", "/y"]);
  expect(mounts.map((mount) => mount.containerPath)).toEqual(["/y"]);
  expect(findings).toMatchObject([
    { code: "entry-missing", severity: "warning", args: { type: "dir", path } },
  ]);
});

it.each([
  ["/opt/file", "file"],
  ["/opt/pipe", "fifo"],
])("extraDirectories() does not mount %s, which is a %s", (path, found) => {
  const { value: mounts, findings } = find([path, "/x"]);
  expect(mounts).toEqual([]);
  expect(findings).toMatchObject([{ code: "entry-wrong-type", args: { path, found } }]);
});

it("extraDirectories() does not query the host for an empty list", () => {
  const before = { ...HOST.calls };
  expect(find()).toEqual({ value: [], findings: [] });
  expect(HOST.calls).toEqual(before);
});
