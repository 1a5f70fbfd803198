import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DRIVER_LIBRARIES, DRIVER_VERSION } from "../../fixtures/host/fake-server.ts";
import { fileEntry } from "../../fixtures/host/tree-entry.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { serversOfEachTest } from "../support/engines/servers-of-each-test.ts";
import { installLinks } from "../support/engines/wrapper.ts";

const FIRMWARE = `/lib/firmware/nvidia/${DRIVER_VERSION}/gsp_tu10x.bin`;

/** Places of a file, a link, a program, firmware, a device and the library cache. */
const PLACES = [
  `${DRIVER_LIBRARIES}/libcuda.so.${DRIVER_VERSION}`,
  `${DRIVER_LIBRARIES}/libcuda.so.1`,
  "/usr/bin/nvidia-smi",
  FIRMWARE,
  "/dev/nvidiactl",
  "/etc/ld.so.cache",
];

describeBuilds([...CONTAINER, "gcc"], "a file that the user mounts over one of the driver's", (build) => {
  const { closing, open, ask } = serversOfEachTest(build);

  it.each(
    PLACES.flatMap((place) => (["hook", "wrapper"] as const).map((by) => ({ place, by }))),
  )("stays the user's at $place with the $by, and the container gets the rest", async ({ place, by }) => {
    const { path: directory, remove } = temporaryDirectory("user");
    closing.push(remove);
    const source = join(directory, "own");
    writeFileSync(source, "the user's\n");
    const more = [fileEntry(FIRMWARE, "firmware"), fileEntry("/usr/bin/nvidia-smi", "program", 0o755)];
    const server = await open({ more });
    const mount = { destination: place, type: "bind", source, options: ["rbind", "ro"] };
    const bundle = ask({ mounts: [mount], ...(by === "wrapper" ? { hooks: {} } : {}) });
    const runtime = by === "wrapper" ? installLinks(build, join(directory, "bin")) : "runc";
    const script = `cat ${place}; ls /usr/bin/nvidia-smi ${FIRMWARE} /dev/nvidia0 ${DRIVER_LIBRARIES}/libcuda.so.1`;
    expect(runContainer(bundle, ["sh", "-c", script], server.place, runtime)).toEqual({
      status: 0,
      stdout: `the user's\n/dev/nvidia0\n${FIRMWARE}\n/usr/bin/nvidia-smi\n${DRIVER_LIBRARIES}/libcuda.so.1\n`,
      stderr: "",
    });
  });
});
