import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, it } from "vitest";
import { DRIVER_LIBRARIES, DRIVER_VERSION, type FakeServer } from "../../fixtures/host/fake-server.ts";
import { fileEntry } from "../../fixtures/host/tree-entry.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { openBareContainer } from "../support/engines/bare-container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { serversOfEachTest } from "../support/engines/servers-of-each-test.ts";
import { snapshotTree } from "../support/host/snapshot.ts";

const SOCKET = "/run/nvidia-persistenced/socket";
const FIRMWARE = `/lib/firmware/nvidia/${DRIVER_VERSION}/gsp_tu10x.bin`;
const CUDA = `${DRIVER_LIBRARIES}/libcuda.so.${DRIVER_VERSION}`;
const LOG = "/etc/nvoci.log";

/** A volume's place, and what the volume keeps from being injected. */
const VOLUMES = [
  ["/run", SOCKET],
  [dirname(SOCKET), SOCKET],
  ["/usr/lib/firmware", FIRMWARE],
  ["/usr/lib/firmware/nvidia", FIRMWARE],
  [DRIVER_LIBRARIES, CUDA],
] as const;

describeBuilds([...CONTAINER, "gcc"], "a read-only volume", (build) => {
  const { closing, open, ask } = serversOfEachTest(build);
  const start = (): Promise<FakeServer> =>
    open({
      config: `[nvidia-container-cli]\ndebug = "${LOG}"\n`,
      more: [{ kind: "directory", path: dirname(SOCKET) }, fileEntry(FIRMWARE, "firmware")],
      setup: [
        `python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("${SOCKET}")'`,
        "mount -t tmpfs tmpfs /mnt && mkdir /mnt/nvidia",
      ],
    });
  const expectFinding = (server: FakeServer, lost: string): void => {
    const name = basename(lost).replace(/\.so.*/, ".so");
    expect(server.place.run(["cat", LOG]).stdout).toMatch(
      new RegExp(`${name}.* would have to be created in a volume or another mount`),
    );
  };

  it.each(
    VOLUMES.flatMap(([place, lost]) =>
      (["directory", "tmpfs"] as const).map((kind) => ({ place, lost, kind })),
    ),
  )("that is a $kind of the host at $place does not stop a container, and a finding says what it lacks", async ({
    place,
    lost,
    kind,
  }) => {
    const volume = temporaryDirectory("volume");
    closing.push(() => volume.remove());
    mkdirSync(join(volume.path, "nvidia"));
    const server = await start();
    const source = kind === "tmpfs" ? "/mnt" : volume.path;
    const bundle = ask({ mounts: [{ destination: place, type: "bind", source, options: ["rbind", "ro"] }] });
    const before = snapshotTree(volume.path);
    const look = `for file in ${SOCKET} ${FIRMWARE} ${CUDA} /dev/nvidia0; do test -e $file && echo $file; done; true`;
    const { status, stdout, stderr } = runContainer(bundle, ["sh", "-c", look], server.place);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const rest = [SOCKET, FIRMWARE, CUDA, "/dev/nvidia0"].filter((path) => path !== lost);
    expect(stdout.trimEnd().split("\n")).toEqual(rest);
    expectFinding(server, lost);
    expect(snapshotTree(volume.path)).toEqual(before);
  });

  // runc makes a tmpfs read-only after the hooks, other runtimes before.
  it.each(VOLUMES)("that is a tmpfs of the container at %s does not stop it either", async (place, lost) => {
    const server = await start();
    const bundle = ask();
    const container = await openBareContainer(bundle, server.place);
    closing.push(() => container.close());
    const path = join(bundle.rootfs, place);
    const inside = ["nsenter", `--mount=/proc/${container.pid}/ns/mnt`, "--"];
    mkdirSync(path, { recursive: true });
    mustRun([...inside, "mount", "-t", "tmpfs", "-o", "ro", "tmpfs", path]);
    expect(container.runHook([build.path, "hook", "prestart"])).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
    });
    expectFinding(server, lost);
  });
});
