import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runContainer } from "../../fixtures/run/container.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { askingBundle, describeCommand, type Jetson, openJetson } from "../support/host/jetson.ts";
import { snapshotTree } from "../support/host/snapshot.ts";

const LIBRARIES = "/usr/lib/aarch64-linux-gnu";

/** A place where the host has a file, and what a user mounts there. */
const VOLUMES: readonly (readonly [what: string, destination: string, source: string, seen: string])[] = [
  ["an empty directory for a link to a directory", `${LIBRARIES}/tegra`, "empty", ""],
  ["a directory for a link to a directory", `${LIBRARIES}/tegra`, "full", "content\n"],
  ["a directory for a link", `${LIBRARIES}/nvidia/libcuda.so.1`, "full", "content\n"],
  ["a file for a link", `${LIBRARIES}/nvidia/libcuda.so.1`, "file", `${LIBRARIES}/nvidia/libcuda.so.1\n`],
  ["a directory for a library", `${LIBRARIES}/nvidia/libnvos.so`, "full", "content\n"],
  ["a file for a directory", "/lib/firmware/tegra23x", "file", "/lib/firmware/tegra23x\n"],
  ["a directory for a device", "/dev/nvmap", "full", "content\n"],
];

describeBuilds(CONTAINER, "a user's volume", (build) => {
  let jetson: Jetson;
  let volume: TemporaryDirectory;
  beforeAll(async () => {
    jetson = await openJetson();
    volume = temporaryDirectory("volume");
    for (const name of ["empty", "full"]) mkdirSync(join(volume.path, name));
    for (const name of ["full/content", "file"]) writeFileSync(join(volume.path, name), "");
  });
  afterAll(() => {
    jetson?.close();
    volume?.remove();
  });

  it.each(VOLUMES)("stays in place: %s, and the container starts with the rest", (_, place, source, seen) => {
    const mount = { destination: place, type: "bind", source: join(volume.path, source), options: ["rbind"] };
    const bundle = askingBundle(build, { mounts: [mount] });
    const isElsewhere = (path: string) => !path.startsWith(place);
    const rest = {
      files: jetson.files.filter(isElsewhere).filter((path) => !path.startsWith(`${LIBRARIES}/tegra/`)),
      links: jetson.links.filter(isElsewhere),
    };
    const before = snapshotTree(volume.path);
    try {
      expect(runContainer(bundle, ["ls", place], jetson.place)).toEqual({
        status: 0,
        stdout: seen,
        stderr: "",
      });
      const inside = runContainer(bundle, describeCommand(rest), jetson.place);
      expect(inside).toEqual(jetson.place.run(describeCommand(rest)));
      expect(snapshotTree(volume.path)).toEqual(before);
    } finally {
      bundle.remove();
    }
  });
});
