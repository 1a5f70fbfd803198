import { expect, it } from "vitest";
import { namedLibraries } from "../../../../src/discover/server/named-libraries.ts";
import type { ServerAndImage } from "../../../../src/discover/server/server.ts";
import { bindMount, joinEdits } from "../../../../src/model/container-edits.ts";
import { containerPath, hostPath } from "../../../../src/model/paths.ts";
import { memoryHost } from "../../../support/host/memory-host.ts";
import { memoryImage } from "../../../support/host/memory-image.ts";

const LIBRARIES = "/usr/lib/x86_64-linux-gnu";
const FILE = "libGLX_nvidia.so.610.43.02";

/** Returns the mounts for configuration files with these contents. The container gets libGLX_nvidia under two names. */
function named(files: Readonly<Record<string, string>>, image: readonly string[] = []): readonly string[] {
  const host = memoryHost(
    Object.entries(files).map(([path, content]) => `file ${path} = ${JSON.stringify(content)}`),
  );
  const edits = joinEdits([
    {
      mounts: [
        bindMount("file", hostPath(`/opt/driver/${FILE}`), containerPath(`${LIBRARIES}/${FILE}`), "library"),
        ...Object.keys(files).map((path) =>
          bindMount("file", hostPath(path), containerPath(path), "configuration"),
        ),
      ],
      links: [
        { containerPath: containerPath(`${LIBRARIES}/libGLX_nvidia.so.0`), target: FILE, source: "library" },
        {
          containerPath: containerPath(`${LIBRARIES}/libGLX_nvidia.so`),
          target: "libGLX_nvidia.so.0",
          source: "library",
        },
        { containerPath: containerPath(`${LIBRARIES}/loop.so`), target: "loop.so", source: "library" },
      ],
    },
  ]);
  const server = { host, image: memoryImage([`dir ${LIBRARIES}`, ...image]) } as unknown as ServerAndImage;
  return namedLibraries(server, edits, containerPath(LIBRARIES)).map(
    (mount) => `${mount.hostPath} ${mount.containerPath} ${mount.options.join()} ${mount.source}`,
  );
}

const ICD = "/usr/share/vulkan/icd.d/nvidia_icd.json";
const icd = (path: string): string =>
  `{ "ICD": { "library_path" : ${JSON.stringify(path)}, "api_version": "1.4" } }`;
const mounted = (path: string): string => `/opt/driver/${FILE} ${path} ro,nosuid,nodev configuration`;

it.each([
  "/usr/lib64/libGLX_nvidia.so.0",
  "/nix/store/4w2v-nvidia-x11/lib/libGLX_nvidia.so.0",
  `/usr/lib64/${FILE}`,
  "/usr/lib64/libGLX_nvidia.so",
])("namedLibraries() mounts a library at the path %s that a file names", (path) => {
  expect(named({ [ICD]: icd(path) })).toEqual([mounted(path)]);
});

it("namedLibraries() takes a path with a slash as relative to its file", () => {
  expect(named({ [ICD]: icd("../../../lib64/libGLX_nvidia.so.0") })).toEqual([
    mounted("/usr/lib64/libGLX_nvidia.so.0"),
  ]);
});

it("namedLibraries() reads layers and the list of OpenCL, and mounts at each path once", () => {
  const layers = `{"layers": [{"library_path": "/a/libGLX_nvidia.so.0"}, {"library_path": "/b/libGLX_nvidia.so.0"}]}`;
  const files = {
    "/etc/vulkan/implicit_layer.d/nvidia_layers.json": layers,
    [ICD]: icd("/b/libGLX_nvidia.so.0"),
  };
  expect(named({ ...files, "/etc/OpenCL/vendors/nvidia.icd": "/c/libGLX_nvidia.so.0\n" })).toEqual(
    ["/a", "/b", "/c"].map((directory) => mounted(`${directory}/libGLX_nvidia.so.0`)),
  );
});

it.each([
  ["a SONAME", icd("libGLX_nvidia.so.0")],
  ["a library that the container does not get", icd("/usr/lib64/libvulkan_radeon.so")],
  ["a file that is no library", icd("/etc/shadow")],
  ["a path that the container has already", icd(`${LIBRARIES}/libGLX_nvidia.so.0`)],
  ["a name that links to itself", icd("/usr/lib64/loop.so")],
  ["nothing", "{}"],
  ["no text at all", ""],
])("namedLibraries() adds nothing for %s", (_, content) => {
  expect(named({ [ICD]: content })).toEqual([]);
});

it("namedLibraries() adds nothing in a directory that is the container's own by another name", () => {
  const image = [`symlink /lib64 -> ${LIBRARIES}`];
  expect(named({ [ICD]: icd("/lib64/libGLX_nvidia.so.0") }, image)).toEqual([]);
});

it("namedLibraries() reads no other file", () => {
  expect(named({ "/usr/share/nvidia/nvoptix.bin": icd("/usr/lib64/libGLX_nvidia.so.0") })).toEqual([]);
});
