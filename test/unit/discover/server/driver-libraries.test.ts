import { expect, it } from "vitest";
import { sharedObject } from "../../../../fixtures/host/shared-object.ts";
import { DEFAULT_CONFIG } from "../../../../src/config/config.ts";
import { libraryDirectories } from "../../../../src/discover/library-places.ts";
import { findLibraries, libcudaOf, libraryEdits } from "../../../../src/discover/server/driver-libraries.ts";
import { driverRoot } from "../../../../src/discover/server/driver-root.ts";
import { DRIVER_LIBRARIES } from "../../../../src/driver/facts/libraries.ts";
import { type DriverCapability, withImplied } from "../../../../src/model/driver-capability.ts";
import { machineOf } from "../../../../src/model/machine.ts";
import { type HostPath, hostPath } from "../../../../src/model/paths.ts";
import type { ImageView } from "../../../../src/model/views.ts";
import { renderFinding } from "../../../../src/render/render-finding.ts";
import { catchError } from "../../../support/cli/catch-error.ts";
import { collectFindings } from "../../../support/cli/collect-findings.ts";
import { DEBIAN_TREE, memoryImage } from "../../../support/host/memory-image.ts";
import { madeAbiTag, noteElf } from "../../../support/host/note-elf.ts";
import { LIBRARIES, type MadeServer, serverHost } from "../../../support/host/server-host.ts";

const VERSION = "535.86.05";
const DEBIAN = memoryImage(DEBIAN_TREE);
const FEDORA = memoryImage(["dir /usr/lib", "dir /usr/lib64"]);
const MACHINE = machineOf("x64");

interface Search {
  readonly capabilities?: readonly DriverCapability[];
  readonly container?: ImageView;
  readonly librarySearchPaths?: readonly HostPath[];
}

function discover(server: MadeServer, search: Search = {}) {
  const { capabilities = ["compute"], container = DEBIAN, librarySearchPaths = [] } = search;
  const host = serverHost(server);
  const root = driverRoot(host, hostPath(server.root ?? "/"));
  const { value: libraries, findings } = collectFindings((report) =>
    findLibraries({
      host,
      root,
      machine: MACHINE,
      config: { ...DEFAULT_CONFIG, nvoci: { ...DEFAULT_CONFIG.nvoci, librarySearchPaths } },
      capabilities: withImplied(capabilities),
      version: VERSION,
      report,
    }),
  );
  const edits = libraryEdits(root, libraries, libraryDirectories(container, MACHINE));
  return {
    libcuda: libcudaOf(libraries),
    findings,
    options: edits.mounts.map(({ kind, options, source }) => ({ kind, options, source })),
    mounts: edits.mounts.map((mount) => `${mount.hostPath} ${mount.containerPath}`),
    links: edits.links.map((link) => `${link.containerPath} -> ${link.target}`),
    codes: findings
      .filter(({ severity }) => severity === "warning")
      .map(({ code, args }) => `${code} ${"name" in args ? args.name : ""}`.trim()),
  };
}

const CUDA = { [`libcuda.so.${VERSION}`]: "libcuda.so.1" };

it("findLibraries() mounts the real file under its own name and creates its lookup names", () => {
  const { mounts, links, libcuda, codes } = discover({ libraries: CUDA });
  expect(mounts).toEqual([`${LIBRARIES}/libcuda.so.${VERSION} ${LIBRARIES}/libcuda.so.${VERSION}`]);
  expect(links).toEqual([
    `${LIBRARIES}/libcuda.so -> libcuda.so.1`,
    `${LIBRARIES}/libcuda.so.1 -> libcuda.so.${VERSION}`,
  ]);
  expect(libcuda).toBe(`${LIBRARIES}/libcuda.so.${VERSION}`);
  expect(codes).toEqual([]);
});

it("findLibraries() mounts libraries read-only, nodev and nosuid", () => {
  expect(discover({ libraries: CUDA }).options).toEqual([
    { kind: "file", options: ["ro", "nosuid", "nodev"], source: "ld.so.cache entry libcuda.so.1" },
  ]);
});

it("findLibraries() uses the library directory of images that are not Debian-like", () => {
  const { mounts } = discover({ libraries: CUDA }, { container: FEDORA });
  expect(mounts).toEqual([`${LIBRARIES}/libcuda.so.${VERSION} /usr/lib64/libcuda.so.${VERSION}`]);
});

it("findLibraries() provides a capability's own libraries only", () => {
  const libraries = {
    ...CUDA,
    [`libnvidia-ml.so.${VERSION}`]: "libnvidia-ml.so.1",
    [`libnvcuvid.so.${VERSION}`]: "libnvcuvid.so.1",
    [`libnvidia-ngx.so.${VERSION}`]: "libnvidia-ngx.so.1",
  };
  const names = (capabilities: readonly DriverCapability[]) =>
    discover({ libraries }, { capabilities }).mounts.map((mount) => /\/(lib[^/.]*)\.so\S+ /.exec(mount)?.[1]);
  expect(names(["utility"])).toEqual(["libnvidia-ml"]);
  expect(names(["compute"])).toEqual(["libcuda"]);
  expect(new Set(names(["video"]))).toEqual(new Set(["libcuda", "libnvcuvid"]));
  expect(names(["ngx"])).toEqual(["libnvidia-ngx"]);
  expect(names([])).toEqual([]);
});

it("findLibraries() uses the loaded driver's libraries if several are installed", () => {
  const { mounts, codes } = discover({
    libraries: {
      ...CUDA,
      "libcuda.so.470.57.02": "libcuda.so.1.old",
      "libnvidia-nvvm.so.470.57.02": "libnvidia-nvvm.so.4",
    },
  });
  expect(mounts).toEqual([`${LIBRARIES}/libcuda.so.${VERSION} ${LIBRARIES}/libcuda.so.${VERSION}`]);
  expect(codes).toEqual([]);
});

// negativo17's packages for Fedora: the file has its SONAME, and the name with the version is the link.
const RENAMED: MadeServer = {
  libraries: { "libGLX_nvidia.so.0": "libGLX_nvidia.so.0" },
  tree: [`symlink ${LIBRARIES}/libGLX_nvidia.so.${VERSION} -> libGLX_nvidia.so.0`],
};

it.each([
  ["the cache lists it", RENAMED],
  ["there is no cache", { ...RENAMED, cache: false }],
  [
    "the driver is in a container",
    {
      ...RENAMED,
      root: "/run/nvidia/driver",
      tree: [`symlink /run/nvidia/driver${LIBRARIES}/libGLX_nvidia.so.${VERSION} -> libGLX_nvidia.so.0`],
    },
  ],
])("findLibraries() finds a file whose name with the version is a link to it, if %s", (_, server) => {
  const { mounts, links, codes } = discover(
    {
      ...server,
      bytes: { [`${server.root ?? ""}${LIBRARIES}/libGLX_nvidia.so.0`]: sharedObject("libGLX_nvidia.so.0") },
    },
    { capabilities: ["graphics"] },
  );
  expect(mounts).toEqual([
    `${server.root ?? ""}${LIBRARIES}/libGLX_nvidia.so.0 ${LIBRARIES}/libGLX_nvidia.so.0`,
  ]);
  expect(links).toEqual([
    `${LIBRARIES}/libGLX_indirect.so.0 -> libGLX_nvidia.so.0`,
    `${LIBRARIES}/libGLX_nvidia.so.${VERSION} -> libGLX_nvidia.so.0`,
  ]);
  expect(codes).not.toContain("driver-library-missing libGLX_nvidia.so");
});

it("findLibraries() leaves such a file out if it has another version's link", () => {
  const tree = [`symlink ${LIBRARIES}/libGLX_nvidia.so.470.57.02 -> libGLX_nvidia.so.0`];
  const { mounts } = discover({ ...RENAMED, tree }, { capabilities: ["graphics"] });
  expect(mounts).toEqual([]);
});

it("findLibraries() names the running driver's version next to another library's", () => {
  const file = `${LIBRARIES}/libnvidia-nvvm.so.470.57.02`;
  const { findings } = discover({
    libraries: { ...CUDA, "libnvidia-nvvm.so.470.57.02": "libnvidia-nvvm.so.4" },
  });
  const [found] = findings.filter(({ code }) => code === "driver-library-other-version");
  expect(found && renderFinding(found)).toBe(
    `library libnvidia-nvvm.so: "${file}" is not the libnvidia-nvvm.so of the running driver ${VERSION}; skipped`,
  );
});

it("findLibraries() refuses libraries of another version than the kernel modules", () => {
  const error = catchError(() => discover({ libraries: { "libcuda.so.550.54.14": "libcuda.so.1" } }));
  expect(error.code).toBe("driver-mismatch");
  expect(error.message).toContain(VERSION);
  expect(error.message).toContain("libcuda.so.550.54.14");
});

it("findLibraries() does not confuse 535.86.05 with 1535.86.05 or 535.86.050", () => {
  const libraries = {
    ...CUDA,
    "libnvidia-nvvm.so.1535.86.05": "libnvidia-nvvm.so.4",
    "libnvidia-opencl.so.535.86.050": "libnvidia-opencl.so.1",
  };
  expect(discover({ libraries }).mounts).toHaveLength(1);
});

it("findLibraries() accepts libraries with versions of their own", () => {
  const { mounts } = discover({ libraries: { ...CUDA, "libnvidia-nvvm70.so.4": "libnvidia-nvvm70.so.4" } });
  expect(mounts).toContain(`${LIBRARIES}/libnvidia-nvvm70.so.4 ${LIBRARIES}/libnvidia-nvvm70.so.4`);
});

it("findLibraries() skips and reports stale cache entries", () => {
  const { mounts, codes } = discover({
    libraries: CUDA,
    staleEntries: [{ name: "libnvidia-nvvm.so.4", path: `${LIBRARIES}/libnvidia-nvvm.so.4` }],
  });
  expect(mounts).toHaveLength(1);
  expect(codes).toEqual(["driver-library-stale libnvidia-nvvm.so.4"]);
});

it("findLibraries() reports a missing library only if the capability needs it", () => {
  const { findings } = discover({ libraries: CUDA }, { capabilities: ["compute", "utility"] });
  const missing = findings.filter(({ code }) => code === "driver-library-missing");
  expect(missing.length).toBeGreaterThan(5);
  expect(missing.filter(({ severity }) => severity === "warning")).toMatchObject([
    { args: { name: "libnvidia-ml.so" } },
  ]);
});

it("findLibraries() provides 32-bit libraries for compat32 in a separate directory", () => {
  const server = { libraries: CUDA, libraries32: CUDA };
  const capabilities = ["compute", "compat32"] as const;
  const libcuda = `libcuda.so.${VERSION}`;
  expect(discover(server).mounts).toHaveLength(1);
  expect(discover(server, { capabilities }).mounts).toContain(
    `/usr/lib/i386-linux-gnu/${libcuda} /usr/lib/i386-linux-gnu/${libcuda}`,
  );
  expect(discover(server, { capabilities, container: FEDORA }).mounts).toContain(
    `/usr/lib/i386-linux-gnu/${libcuda} /usr/lib/${libcuda}`,
  );
});

it("findLibraries() does not substitute a 32-bit library for a missing 64-bit one", () => {
  const { mounts, libcuda, codes } = discover(
    { libraries32: CUDA },
    { capabilities: ["compute", "compat32"] },
  );
  expect(mounts).toHaveLength(1);
  expect(libcuda).toBeUndefined();
  expect(codes).toEqual(["driver-library-missing libcuda.so"]);
});

it("findLibraries() searches the standard directories of a host without a cache", () => {
  const { mounts, links, findings } = discover({ cache: false, libraries: CUDA });
  expect(mounts).toEqual([`${LIBRARIES}/libcuda.so.${VERSION} ${LIBRARIES}/libcuda.so.${VERSION}`]);
  expect(links).toContain(`${LIBRARIES}/libcuda.so.1 -> libcuda.so.${VERSION}`);
  expect(findings).toContainEqual(expect.objectContaining({ code: "ldcache-missing" }));
});

it("findLibraries() searches the standard directories if the cache is damaged", () => {
  const { mounts, findings } = discover({
    cache: false,
    libraries: CUDA,
    bytes: { "/etc/ld.so.cache": new Uint8Array(100) },
  });
  expect(mounts).toHaveLength(1);
  expect(findings).toContainEqual(expect.objectContaining({ code: "ldcache-invalid", severity: "warning" }));
});

it("findLibraries() reads the file's width and name if the directory does not reveal them", () => {
  const path = `/usr/lib/libcuda.so.${VERSION}`;
  const wide = discover({ cache: false, bytes: { [path]: sharedObject("libcuda.so.1", { machine: 62 }) } });
  expect(wide.mounts).toEqual([`${path} ${LIBRARIES}/libcuda.so.${VERSION}`]);
  expect(wide.links).toContain(`${LIBRARIES}/libcuda.so.1 -> libcuda.so.${VERSION}`);
  const narrow = discover({ cache: false, bytes: { [path]: sharedObject("libcuda.so.1", { machine: 3 }) } });
  expect(narrow.mounts).toEqual([]);
  const foreign = discover({
    cache: false,
    bytes: { [path]: sharedObject("libcuda.so.1", { machine: 21 }) },
  });
  expect(foreign.mounts).toEqual([]);
});

it("findLibraries() skips and reports a file that is not a library", () => {
  const { mounts, codes } = discover({
    cache: false,
    tree: [`file /usr/lib/libcuda.so.${VERSION} = "oops"`],
  });
  expect(mounts).toEqual([]);
  expect(codes).toContain("driver-library-unreadable");
});

it("findLibraries() prefers libraries in the given directories", () => {
  const { mounts } = discover(
    { libraries: CUDA, tree: [`file /opt/nvidia/lib64/libcuda.so.${VERSION}`] },
    { librarySearchPaths: [hostPath("/opt/nvidia/lib64")] },
  );
  expect(mounts).toEqual([`/opt/nvidia/lib64/libcuda.so.${VERSION} ${LIBRARIES}/libcuda.so.${VERSION}`]);
});

it("findLibraries() stays inside a driver container's root, absolute links included", () => {
  const root = "/run/nvidia/driver";
  const { mounts } = discover({
    root,
    staleEntries: [{ name: "libcuda.so.1", path: "/usr/lib64/libcuda.so.1" }],
    tree: [
      // The host's library, of another version, is where the link would lead outside the root.
      "file /usr/lib/nvidia/libcuda.so.1.1",
      `file ${root}/usr/lib/nvidia/libcuda.so.${VERSION}`,
      `symlink ${root}/usr/lib64/libcuda.so.1 -> /etc/alternatives/libcuda.so.1`,
      `symlink ${root}/etc/alternatives/libcuda.so.1 -> ../../../../usr/lib/nvidia/libcuda.so.${VERSION}`,
    ],
  });
  expect(mounts).toEqual([`${root}/usr/lib/nvidia/libcuda.so.${VERSION} ${LIBRARIES}/libcuda.so.${VERSION}`]);
});

it("driverRoot() stops links that leave the root or form a loop", () => {
  const host = serverHost({
    cache: false,
    tree: [
      "file /secret",
      "symlink /r/a -> ../secret",
      "symlink /r/b -> c",
      "symlink /r/c -> b",
      "file /r/d",
      "symlink /r/e -> d/x",
    ],
  });
  const root = driverRoot(host, hostPath("/r"));
  for (const path of ["/a", "/b", "/e", "/../secret", "/missing/x"])
    expect(root.resolve(path)).toBeUndefined();
  expect(root.resolve("/d")).toBe("/r/d");
});

it("findLibraries() uses a vendor-neutral name only if the file needs NVIDIA's core", () => {
  const file = `${LIBRARIES}/libGL.so.${VERSION}`;
  const take = (needed: readonly string[]) =>
    discover(
      {
        cache: false,
        tree: [`symlink ${LIBRARIES}/libGL.so.1 -> libGL.so.${VERSION}`],
        bytes: { [file]: sharedObject("libGL.so.1", { needed }) },
      },
      { capabilities: ["graphics"] },
    ).mounts;
  expect(take([`libnvidia-glcore.so.${VERSION}`])).toEqual([`${file} ${file}`]);
  expect(take(["libGLX.so.0", "libc.so.6"])).toEqual([]);
});

it("findLibraries() prefers the thread-local storage library for current kernels", () => {
  const name = `libnvidia-tls.so.${VERSION}`;
  const modern = noteElf([madeAbiTag(0, 2, 3, 99)]);
  const ancient = noteElf([madeAbiTag(0, 2, 2, 5)]);
  for (const [first, second] of [
    [modern, ancient],
    [ancient, modern],
  ] as const) {
    const { mounts } = discover(
      { cache: false, bytes: { [`/usr/lib64/${name}`]: first, [`${LIBRARIES}/${name}`]: second } },
      { capabilities: ["graphics"] },
    );
    expect(mounts).toEqual([`${first === modern ? "/usr/lib64" : LIBRARIES}/${name} ${LIBRARIES}/${name}`]);
  }
});

it("findLibraries() finds the VDPAU module next to the libraries", () => {
  const { mounts, links } = discover(
    { libraries: CUDA, tree: [`file ${LIBRARIES}/vdpau/libvdpau_nvidia.so.${VERSION}`] },
    { capabilities: ["video"] },
  );
  expect(mounts).toContain(
    `${LIBRARIES}/vdpau/libvdpau_nvidia.so.${VERSION} ${LIBRARIES}/libvdpau_nvidia.so.${VERSION}`,
  );
  expect(links).toContain(`${LIBRARIES}/vdpau/libvdpau_nvidia.so.1 -> ../libvdpau_nvidia.so.${VERSION}`);
});

it("DRIVER_LIBRARIES names each library once, and no prefix hides another", () => {
  for (const [i, { name }] of DRIVER_LIBRARIES.entries()) {
    expect(DRIVER_LIBRARIES.findIndex((other) => name.startsWith(other.name))).toBe(i);
  }
});

it("withImplied() adds the capabilities that video and display need", () => {
  expect([...withImplied(["video", "display"])].sort()).toEqual(["compute", "display", "graphics", "video"]);
});

it("findLibraries() finds the loaded version next to a newer one in the cache", () => {
  const newer = "550.54.14";
  const { mounts, links } = discover({
    libraries: { [`libcuda.so.${newer}`]: "libcuda.so.1" },
    tree: [`file ${LIBRARIES}/libcuda.so.${VERSION}`],
  });
  expect(mounts).toEqual([`${LIBRARIES}/libcuda.so.${VERSION} ${LIBRARIES}/libcuda.so.${VERSION}`]);
  expect(links).toContain(`${LIBRARIES}/libcuda.so.1 -> libcuda.so.${VERSION}`);
});

it("findLibraries() does not name a library after another version", () => {
  const newer = "550.54.14";
  const { links } = discover(
    {
      libraries: { [`libnvidia-eglcore.so.${newer}`]: `libnvidia-eglcore.so.${newer}` },
      tree: [`file ${LIBRARIES}/libnvidia-eglcore.so.${VERSION}`],
      bytes: {
        [`${LIBRARIES}/libnvidia-eglcore.so.${VERSION}`]: sharedObject(`libnvidia-eglcore.so.${VERSION}`),
      },
    },
    { capabilities: ["graphics"] },
  );
  expect(links.filter((link) => link.includes(newer))).toEqual([]);
});
