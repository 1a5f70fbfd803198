import { afterAll, beforeAll, expect, it } from "vitest";
import { writeTree } from "../../fixtures/host/tree-entry.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { openImage } from "../../src/execute/rootfs/root-view.ts";
import { containerPath, hostPath } from "../../src/model/paths.ts";
import type { ImageView } from "../../src/model/views.ts";
import { linux } from "../../src/sys/linux.ts";
import type { Syscalls } from "../../src/sys/syscalls.ts";
import { catchError } from "../support/cli/catch-error.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";
import { memoryImage } from "../support/host/memory-image.ts";
import { treeLineEntry } from "../support/host/tree-line-entry.ts";
import { nodeEngine } from "../support/kernel/node-engine.ts";

const TREE = [
  'file /etc/debian_version = "12.4\\n"',
  "file /usr/lib/libc.so.6",
  "symlink /lib -> usr/lib",
  "symlink /usr/lib64 -> /lib",
  "symlink /dangling -> nowhere",
  "symlink /circle -> circle",
  "symlink /out -> ../../../../../etc/debian_version",
  "fifo /pipe",
];
const PATHS = [
  "/",
  "/etc",
  "/etc/debian_version",
  "/lib",
  "/usr/lib",
  "/usr/lib64",
  "/lib/libc.so.6",
  "/dangling",
  "/circle",
  "/out",
  "/pipe",
  "/none/below",
].map(containerPath);

/** Returns all that a view reports about the paths. Identities are compared, because their text differs per view. */
const answers = (image: ImageView) =>
  PATHS.map((path) => ({
    path,
    type: image.type(path),
    own: image.type(path, "itself"),
    same: PATHS.filter((other) => image.identity(other) === image.identity(path)),
    names: image.readDirectory(path, 100).sort(),
    text: image.readFile(path, 100)?.join(),
    tooLarge: image.readFile(path, 3)?.join(),
    range: image.readRange(path, 1, 3)?.join(),
  }));

describeNeeding(["root", "build"], "a view of an image", () => {
  const directory = temporaryDirectory("image-view");
  let system: Syscalls;
  beforeAll(() => {
    system = linux(nodeEngine());
    writeTree(
      directory.path,
      TREE.map((line) => treeLineEntry(line)),
    );
  });
  afterAll(() => directory.remove());

  it("reports the same as the in-memory view of the tests", () => {
    expect(answers(openImage(system, hostPath(directory.path)))).toEqual(answers(memoryImage(TREE)));
  });

  it("cannot be opened on a path that is not a directory", () => {
    const error = catchError(() => openImage(system, hostPath(`${directory.path}/none`)));
    expect(error.code).toBe("spec-invalid");
  });
});
