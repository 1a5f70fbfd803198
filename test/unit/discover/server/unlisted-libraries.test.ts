import { describe, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../../../../src/config/config.ts";
import { findLibraries } from "../../../../src/discover/server/driver-libraries.ts";
import { driverRoot } from "../../../../src/discover/server/driver-root.ts";
import { unlistedLibraries } from "../../../../src/discover/server/unlisted-libraries.ts";
import { type DriverCapability, withImplied } from "../../../../src/model/driver-capability.ts";
import { machineOf } from "../../../../src/model/machine.ts";
import { hostPath } from "../../../../src/model/paths.ts";
import { renderFinding } from "../../../../src/render/render-finding.ts";
import { collectFindings } from "../../../support/cli/collect-findings.ts";
import { LIBRARIES, type MadeServer, serverHost } from "../../../support/host/server-host.ts";

const VERSION = "700.10.01";
const DRIVER = {
  [`libcuda.so.${VERSION}`]: "libcuda.so.1",
  [`libnvidia-ml.so.${VERSION}`]: "libnvidia-ml.so.1",
};
const NEW = `libnvidia-new.so.${VERSION}`;

/** Returns the libraries that no table names, and the findings about them. */
function discover(server: MadeServer, ...capabilities: readonly DriverCapability[]) {
  const host = serverHost(server);
  const { value, findings } = collectFindings((report) => {
    const search = {
      host,
      root: driverRoot(host, hostPath(server.root ?? "/")),
      machine: machineOf("x64"),
      config: DEFAULT_CONFIG,
      capabilities: withImplied(capabilities),
      version: VERSION,
      report,
    };
    return unlistedLibraries(search, findLibraries(search));
  });
  return {
    libraries: value.map(({ bits, hostPath: path, names }) => [bits, path, ...names]),
    findings: findings.filter(({ code }) => code === "driver-library-unlisted").map(renderFinding),
  };
}

describe("unlistedLibraries()", () => {
  const file = (name: string): string => `file ${LIBRARIES}/${name}`;

  it("finds those of the running driver's version beside the others, and names them in one finding", () => {
    const tree = [NEW, "libother-new.so.699.1", `libfuture.so.${VERSION}`, `new.so.${VERSION}`].map(file);
    expect(discover({ libraries: DRIVER, tree }, "compute")).toEqual({
      libraries: [
        [64, `${LIBRARIES}/libfuture.so.${VERSION}`],
        [64, `${LIBRARIES}/${NEW}`],
      ],
      findings: [
        `libraries of the driver: nvoci does not know "libfuture.so.${VERSION}", "${NEW}" of the running driver; containers with compute or graphics get them`,
      ],
    });
  });

  it.each([
    ["a version that only ends like the driver's", `libother.so.1${VERSION}`],
    ["a library of another capability", `libnvidia-encode.so.${VERSION}`],
    ["a library of the settings panel", `libnvidia-gtk3.so.${VERSION}`],
    ["a longer name", `${NEW}.bak`],
  ])("does not find %s", (_, name) => {
    expect(discover({ libraries: DRIVER, tree: [file(name)] }, "compute")).toEqual({
      libraries: [],
      findings: [],
    });
  });

  it.each([
    ["compute", 1],
    ["graphics", 1],
    ["display", 1],
    ["video", 1],
    ["utility", 0],
    ["ngx", 0],
  ] as const)("finds them for %s: %d", (capability, count) => {
    const libraries = {
      ...DRIVER,
      [`libnvidia-eglcore.so.${VERSION}`]: `libnvidia-eglcore.so.${VERSION}`,
      [`libnvidia-ngx.so.${VERSION}`]: "libnvidia-ngx.so.1",
    };
    expect(discover({ libraries, tree: [file(NEW)] }, capability).libraries).toHaveLength(count);
  });

  it("follows a name with the version to a file with another name, and keeps both", () => {
    const tree = [file("libnvidia-new.so.1"), `symlink ${LIBRARIES}/${NEW} -> libnvidia-new.so.1`];
    expect(discover({ libraries: DRIVER, tree }, "compute").libraries).toEqual([
      [64, `${LIBRARIES}/libnvidia-new.so.1`, NEW],
    ]);
  });

  it("ignores a link that leads nowhere", () => {
    const tree = [`symlink ${LIBRARIES}/${NEW} -> missing`];
    expect(discover({ libraries: DRIVER, tree }, "compute")).toEqual({ libraries: [], findings: [] });
  });

  it("finds 32-bit ones only for compat32", () => {
    const tree = [`file /usr/lib/i386-linux-gnu/${NEW}`];
    const server = { libraries: DRIVER, libraries32: DRIVER, tree };
    expect(discover(server, "compute").libraries).toEqual([]);
    expect(discover(server, "compute", "compat32").libraries).toEqual([
      [32, `/usr/lib/i386-linux-gnu/${NEW}`],
    ]);
  });

  it("searches the installation of a driver container, whose links lead inside it", () => {
    const root = "/run/nvidia/driver";
    const tree = [
      `file ${root}/opt/${NEW}`,
      `symlink ${root}${LIBRARIES}/${NEW} -> /opt/${NEW}`,
      `file /opt/${NEW}`,
    ];
    expect(discover({ libraries: DRIVER, root, tree }, "compute").libraries).toEqual([
      [64, `${root}/opt/${NEW}`],
    ]);
  });

  it("searches the standard directories of a host without a library cache", () => {
    const server = { libraries: DRIVER, cache: false, tree: [file(NEW)] };
    expect(discover(server, "compute").libraries).toEqual([[64, `${LIBRARIES}/${NEW}`]]);
  });
});
