import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Bundle } from "../../fixtures/bundle.ts";
import { ORIN_MANIFEST } from "../../fixtures/host/fake-l4t.ts";
import { compileCuda } from "../../fixtures/host/fake-server.ts";
import { fileEntry } from "../../fixtures/host/tree-entry.ts";
import { runContainer, scriptLines } from "../../fixtures/run/container.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { serversOfEachTest } from "../support/engines/servers-of-each-test.ts";
import { askingBundle, type Jetson, openJetson } from "../support/host/jetson.ts";
import { installCompat } from "../support/image/compat-library.ts";

const COMPAT = "/usr/local/cuda/compat";
const CONFIG = "/etc/nvidia-container-runtime/config.toml";
const legacy = (mode: string): string =>
  `nvidia-container-runtime.modes.legacy.cuda-compat-mode = "${mode}"\n`;

/** What the program prints that finds the image's library, and the host's. */
const [IMAGE, HOST] = ["575", "535"];

describeBuilds([...CONTAINER, "gcc"], "an image's CUDA libraries for older drivers", (build) => {
  const { open, ask } = serversOfEachTest(build);

  /** Runs a program that needs libcuda on a server with driver 535.86.05. */
  async function onServer(version: string, note: object | undefined, config?: string): Promise<string[]> {
    const server = await open(config === undefined ? {} : { config });
    const bundle = ask({ driverCapabilities: "compute,utility" });
    installCompat(bundle.rootfs, `${COMPAT}/libcuda.so.${version}`, 575, note);
    return scriptLines(bundle, "use-cuda", server.place, ["/bin/busybox", "sh"]);
  }

  const note = (cuda: string, ...driver: number[]) => ({
    format: 1,
    "CUDA version": cuda,
    driver,
    device: [1],
  });

  describe("on a server", () => {
    it.each([
      ["lists the host's branch and is newer", "575.57.08", note("12.9", 535, 550, 575), IMAGE],
      ["is an update of the host's branch", "535.104.05", note("12.2", 535), IMAGE],
      ["does not list the host's branch", "620.70.06", note("13.5", 580, 620), HOST],
      ["lists no branch", "620.70.06", note("13.5"), HOST],
      ["is older", "535.54.03", note("12.2", 535), HOST],
      ["has no note and is of a newer branch", "550.54.14", undefined, IMAGE],
      ["has no note and is of the host's branch", "535.104.05", undefined, HOST],
    ])("decide by the library, which %s", async (_, version, compat, expected) => {
      expect(await onServer(version, compat)).toEqual([expected]);
    });

    it.each([
      ["cuda-compat-mode = ldconfig", legacy("ldconfig"), IMAGE],
      ["cuda-compat-mode = hook", legacy("hook"), IMAGE],
      ["cuda-compat-mode = disabled", legacy("disabled"), HOST],
      ["disable-cuda-compat-lib-hook", "features.disable-cuda-compat-lib-hook = true\n", HOST],
      ["the same in the mode hook", `features.disable-cuda-compat-lib-hook = true\n${legacy("hook")}`, HOST],
    ])("obey %s", async (_, config, expected) => {
      expect(await onServer("575.57.08", note("12.9", 535), config)).toEqual([expected]);
    });

    it.each([
      [
        "mount",
        legacy("mount"),
        'legacy.cuda-compat-mode to "mount", which is not supported; "ldconfig" is used',
      ],
      [
        "allow-cuda-compat-libs-from-container",
        "features.allow-cuda-compat-libs-from-container = true\n",
        'allow-cuda-compat-libs-from-container to "true", which is not supported; "false" is used',
      ],
    ])("are not mounted, and the log says that %s is not supported", async (_, config, sentence) => {
      const directory = temporaryDirectory("compat-log");
      try {
        const log = join(directory.path, "log");
        const logged = `nvidia-container-cli.debug = "${log}"\n`;
        expect(await onServer("575.57.08", note("12.9", 535), logged + config)).toEqual([IMAGE]);
        const lines = readFileSync(log, "utf8").split("\n");
        // The log quotes its messages as JSON.
        expect(lines.filter((line) => line.includes(JSON.stringify(sentence).slice(1, -1)))).toHaveLength(1);
      } finally {
        directory.remove();
      }
    });
  });

  describe("on a board", () => {
    const ORIN = `${COMPAT}_orin`;
    const root = `nvidia-container-runtime.modes.csv.compat-container-root = "${ORIN}"\n`;
    const orin = (cuda: string) => ({ format: 1, "CUDA version": cuda });
    const bundles: Bundle[] = [];
    let jetson: Jetson;

    beforeAll(async () => {
      const libcuda = "/usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1.1";
      const library = fileEntry(libcuda, readFileSync(compileCuda().library), 0o755);
      const config = fileEntry(CONFIG, root);
      jetson = await openJetson({
        manifests: { "l4t.csv": ORIN_MANIFEST },
        release: "36.4.3",
        more: [library, config],
      });
    });
    afterEach(() => {
      for (const bundle of bundles.splice(0)) bundle.remove();
    });
    afterAll(() => jetson?.close());

    /** Runs a program that needs libcuda on a board with L4T 36.4.3, which has CUDA 12.6. */
    function onBoard(
      path: string,
      compat: object | undefined,
      config = root,
      more: (rootfs: string) => void = () => {},
    ): string[] {
      const bundle = askingBundle(build);
      bundles.push(bundle);
      copyFileSync(compileCuda().program, join(bundle.rootfs, "usr/bin/use-cuda"));
      installCompat(bundle.rootfs, path, 575, compat);
      more(bundle.rootfs);
      jetson.place.run(["sh", "-c", `printf '%s' '${config}' >${CONFIG}`]);
      return runContainer(bundle, ["use-cuda"], jetson.place).stdout.trimEnd().split("\n");
    }

    it.each([
      ["provides a newer CUDA", `${ORIN}/libcuda.so.1.1`, orin("13.2"), IMAGE],
      ["provides the same CUDA", `${ORIN}/libcuda.so.1.1`, orin("12.6"), HOST],
      ["provides an older CUDA", `${ORIN}/libcuda.so.1.1`, orin("12.5"), HOST],
      ["has no note", `${ORIN}/libcuda.so.1.1`, undefined, HOST],
      ["is in another directory", `${COMPAT}/libcuda.so.1.1`, orin("13.2"), HOST],
    ])("decide by the library, which %s", (_, path, compat, expected) => {
      expect(onBoard(path, compat)).toEqual([expected]);
    });

    it.each<[title: string, make: (rootfs: string) => void]>([
      ["a FIFO", (rootfs) => mustRun(["mkfifo", join(rootfs, ORIN)])],
      [
        "a directory with a FIFO",
        (rootfs) => mustRun(["sh", "-c", `mkdir ${rootfs}${ORIN} && mkfifo ${rootfs}${ORIN}/libcuda.so.1.1`]),
      ],
      [
        "a directory with a file that only begins like a library",
        (rootfs) => {
          mkdirSync(join(rootfs, ORIN));
          writeFileSync(
            join(rootfs, ORIN, "libcuda.so.1.1"),
            readFileSync(compileCuda().library).subarray(0, 100),
          );
        },
      ],
    ])("do not keep a container from starting if an image has %s in their place", (_, make) => {
      const said = onBoard("/usr/local/cuda/libcuda.so.1.1", orin("13.2"), root, make);
      expect(said).toEqual([HOST]);
    });

    it("are in the usual directory on a board that is not an Orin", () => {
      expect(onBoard(`${COMPAT}/libcuda.so.1.1`, orin("13.2"), "")).toEqual([IMAGE]);
    });

    it.each([
      ["cuda-compat-mode = disabled", legacy("disabled")],
      ["disable-cuda-compat-lib-hook", "features.disable-cuda-compat-lib-hook = true\n"],
    ])("obey %s", (_, config) => {
      expect(onBoard(`${ORIN}/libcuda.so.1.1`, orin("13.2"), root + config)).toEqual([HOST]);
    });
  });
});
