import { describe, expect, it } from "vitest";
import { hostPath } from "../../../src/model/paths.ts";
import { parseSpec } from "../../../src/oci/spec.ts";
import { catchError } from "../../support/cli/catch-error.ts";

const BUNDLE = hostPath("/run/c/1");
const MINIMAL = { ociVersion: "1.0.2", process: {}, root: { path: "rootfs" } };

const parse = (spec: unknown) => parseSpec(JSON.stringify(spec), BUNDLE);
const withProcess = (process: unknown) => parse({ ...MINIMAL, process });
const withLinux = (linux: unknown) => parse({ ...MINIMAL, linux });

describe("parseSpec()", () => {
  it("reads the smallest configuration", () => {
    expect(parse(MINIMAL)).toEqual({
      root: { path: "/run/c/1/rootfs" },
      env: [],
      user: { uid: 0, gid: 0 },
      boundingCapabilities: [],
      mounts: [],
      devices: [],
      userNamespace: false,
      mountLabel: undefined,
    });
  });

  it("reads the mount label and treats an empty one as none", () => {
    const label = "system_u:object_r:container_file_t:s0:c1,c2";
    expect(parse({ ...MINIMAL, linux: { mountLabel: label } }).mountLabel).toBe(label);
    expect(parse({ ...MINIMAL, linux: { mountLabel: "" } }).mountLabel).toBeUndefined();
  });

  it("treats null as absent everywhere", () => {
    const spec = parse({
      ociVersion: null,
      process: { env: null, capabilities: null },
      root: { path: "r", readonly: null },
      mounts: null,
      linux: { devices: null, uidMappings: null, namespaces: null, cgroupsPath: null },
    });
    expect(spec.devices).toEqual([]);
    expect(parse({ ...MINIMAL, linux: null }).userNamespace).toBe(false);
  });

  it("keeps an absolute root and resolves a relative one from the bundle", () => {
    expect(parse({ ...MINIMAL, root: { path: "/a/b/../c", readonly: true } }).root).toEqual({
      path: "/a/c",
    });
    expect(parse({ ...MINIMAL, root: { path: "../r" } }).root.path).toBe("/run/c/r");
  });

  it("keeps environment entries as written, even without '='", () => {
    expect(withProcess({ env: ["A=1", "B", "A=2", ""] }).env).toEqual(["A=1", "B", "A=2", ""]);
  });

  it("reads both forms of capabilities, whatever the version is", () => {
    const bounding = ["CAP_SYS_ADMIN"];
    expect(withProcess({ capabilities: { bounding, effective: ["CAP_KILL"] } }).boundingCapabilities).toEqual(
      bounding,
    );
    expect(withProcess({ capabilities: bounding }).boundingCapabilities).toEqual(bounding);
    expect(
      withProcess({ capabilities: { effective: bounding, permitted: bounding } }).boundingCapabilities,
    ).toEqual([]);
  });

  it("keeps mounts as written", () => {
    const destination = "/var/run/nvidia-container-devices/../x";
    expect(parse({ ...MINIMAL, mounts: [{ destination }] }).mounts).toEqual([
      { destination, source: undefined },
    ]);
    const mount = { destination: "/proc", type: "proc", source: "proc", options: ["nosuid"] };
    expect(parse({ ...MINIMAL, mounts: [mount] }).mounts).toEqual([{ destination: "/proc", source: "proc" }]);
  });

  it("reads device nodes", () => {
    const device = { path: "/dev/nvmap", type: "c", major: 10, minor: 50, fileMode: 432, uid: 0, gid: 44 };
    expect(withLinux({ devices: [device] }).devices).toEqual([{ path: "/dev/nvmap" }]);
  });

  it.each([
    { mounts: [{ destination: "/a", options: "ro" }] },
    { linux: { devices: [{ path: "/dev/x", major: "1", uid: "root" }] } },
    { linux: { cgroupsPath: 1 } },
    { ociVersion: 1 },
    { root: { path: "r", readonly: "yes" } },
  ])("leaves to the runtime what it does not read: %j", (members) => {
    expect(() => parse({ ...MINIMAL, ...members })).not.toThrow();
  });

  it("detects a user namespace by its mappings or by its name", () => {
    const mapping = { containerID: 0, hostID: 1000, size: 1 };
    expect(withLinux({ uidMappings: [mapping] }).userNamespace).toBe(true);
    expect(withLinux({ uidMappings: [] }).userNamespace).toBe(false);
    expect(withLinux({ namespaces: [{ type: "pid" }, { type: "user" }] }).userNamespace).toBe(true);
    expect(withLinux({ namespaces: [{ type: "pid" }] }).userNamespace).toBe(false);
  });

  it("accepts 64-bit numbers and unknown members", () => {
    const text =
      '{"process":{"rlimits":[{"hard":18446744073709551615}]},"root":{"path":"r"},"vm":{},"__proto__":{"env":3}}';
    expect(parseSpec(text, BUNDLE).root.path).toBe("/run/c/1/r");
  });

  it.each([
    [{ root: { path: "r" } }, "process is missing"],
    [{ process: null, root: { path: "r" } }, "process is missing"],
    [{ process: {} }, "root is missing"],
    [{ process: {}, root: {} }, "root.path is missing"],
    [{ process: {}, root: { path: "" } }, "root.path is missing"],
    [{ process: {}, root: { path: "a\0b" } }, "root.path"],
    [{ process: {}, root: "r" }, "root must be an object"],
    [{ ...MINIMAL, process: [] }, "process must be an object"],
    [{ ...MINIMAL, process: { env: "A=1" } }, "process.env must be a list"],
    [{ ...MINIMAL, process: { env: ["A=1", "", "B=2", 7] } }, "process.env[3] must be a string"],
    [{ ...MINIMAL, process: { capabilities: "all" } }, "process.capabilities must be an object"],
    [{ ...MINIMAL, process: { capabilities: { bounding: [1] } } }, "process.capabilities.bounding[0]"],
    [{ ...MINIMAL, mounts: [{ destination: "/a" }, 1] }, "mounts[1] must be an object"],
    [{ ...MINIMAL, mounts: [{ source: "/a" }] }, "mounts[0].destination is missing"],
    [{ ...MINIMAL, linux: { devices: [{ type: "c" }] } }, "linux.devices[0].path is missing"],
    [{ ...MINIMAL, process: { user: { uid: -1 } } }, "process.user.uid must be a whole number"],
    [{ ...MINIMAL, process: { user: { gid: "0" } } }, "process.user.gid must be a number"],
    [{ ...MINIMAL, linux: { mountLabel: 's0",size=9g' } }, "linux.mountLabel contains a quotation mark"],
  ])("refuses %j", (spec, place) => {
    const error = catchError(() => parse(spec));
    expect(error.code).toBe("spec-invalid");
    expect(error.message.startsWith(`Cannot read "/run/c/1/config.json": ${place}`)).toBe(true);
  });

  it.each(["", "{", "[]", "null"])("refuses the text %j", (text) => {
    expect(catchError(() => parseSpec(text, BUNDLE)).code).toBe("spec-invalid");
  });

  it("refuses a byte order mark, as runtimes do", () => {
    const error = catchError(() => parseSpec('\ufeff{"process":{},"root":{"path":"r"}}', BUNDLE));
    expect(error.message).toContain("line 1, column 1 is not JSON");
  });

  it("refuses invalid JSON and names the line", () => {
    const error = catchError(() => parseSpec('{\n "root": {,}}', BUNDLE));
    expect(error).toMatchObject({ code: "spec-invalid" });
    expect(error.message).toContain("line 2, column 11 is not JSON");
  });
});
