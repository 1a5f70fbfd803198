import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ORIN_MANIFEST } from "../fixtures/host/fake-l4t.ts";
import { DRIVER_LIBRARIES, DRIVER_VERSION, openServer } from "../fixtures/host/fake-server.ts";
import { sharedObject } from "../fixtures/host/shared-object.ts";
import { temporaryDirectory } from "../fixtures/run/temporary-directory.ts";
import { madeAbiTag, madeCudaNote, noteElf } from "../test/support/host/note-elf.ts";
import type { Attack } from "./attack.ts";
import { mutateBytes, mutateText } from "./mutate.ts";
import { Random } from "./random.ts";
import { LIMITS, measured, usageFaults } from "./target.ts";

const CONFIG = `disable-require = false
supported-driver-capabilities = "compute,utility"
accept-nvidia-visible-devices-envvar-when-unprivileged = true
[nvidia-container-cli]
root = "/"
no-cgroups = true
ldconfig = "@/sbin/ldconfig"
environment = ["A=b"]
[nvidia-container-runtime]
log-level = "info"
runtimes = ["runc", "crun"]
mode = "auto"
[nvidia-container-runtime.modes.csv]
mount-spec-path = "/etc/nvidia-container-runtime/host-files-for-container.d"
[nvoci]
ldconfig = true
`;

const NOTES = [madeCudaNote({ "CUDA Version": 12080, Driver: [470, 535, 570] }), madeAbiTag(0, 4, 9, 0)];
const CACHE = "etc/ld.so.cache";

/**
 * Mutated files of the host and of the image: config.toml, manifests, ld.so.cache, ELF files. The program answers or
 * refuses. It does not crash, hang or take long.
 */
export const hostFiles: Attack = {
  name: "host-files",
  async open(build) {
    const server = await openServer();
    const { path: directory, remove } = temporaryDirectory("host-files");
    const at = (name: string): string => join(directory, name);
    const root = `/proc/${server.place.pid}/root`;
    const cache = readFileSync(join(root, CACHE));
    const library = join(root, DRIVER_LIBRARIES, `libnvidia-ml.so.${DRIVER_VERSION}`);
    const compat = at("image/usr/local/cuda/compat");
    mkdirSync(compat, { recursive: true });
    const imageLibrary = join(compat, "libcuda.so.570.0.0");
    const plan = [
      build.path,
      "plan",
      "--json",
      "--rootfs",
      at("image"),
      "--env",
      "NVIDIA_VISIBLE_DEVICES=all",
    ];
    const bytes = (path: string, content: Uint8Array) => (random: Random) => {
      writeFileSync(path, mutateBytes(content, random));
      return plan;
    };
    const text =
      (name: string, content: string, command: (path: string) => readonly string[]) => (random: Random) => {
        writeFileSync(at(name), mutateText(content, random));
        return command(at(name));
      };
    const formats: readonly ((random: Random) => readonly string[])[] = [
      text("config.toml", CONFIG, (path) => [...plan, "--config", path]),
      text("show.toml", CONFIG, (path) => [build.path, "config", "show", "--config", path]),
      text("l4t.csv", ORIN_MANIFEST, (path) => [build.path, "manifest", "lint", path]),
      bytes(join(root, CACHE), cache),
      bytes(library, sharedObject("libnvidia-ml.so.1")),
      bytes(imageLibrary, noteElf(NOTES)),
      bytes(imageLibrary, noteElf(NOTES, { bits: 32, place: "section" })),
    ];
    return {
      trial(seed) {
        const random = new Random(seed);
        const command = random.pick(formats)(random);
        const run = (words: readonly string[]) => server.place.run(words, { timeout: LIMITS.hung });
        const result = measured(run, command, at("usage"));
        writeFileSync(join(root, CACHE), cache);
        const { status, stdout, stderr } = result;
        const faults = usageFaults(build, result);
        if (status !== 0 && status !== 1) faults.push(`status ${status}: ${stderr.slice(0, 1000)}`);
        if (status === 1 && stdout === "" && !stderr.startsWith("nvoci: Cannot "))
          faults.push(`unexpected error: ${stderr}`);
        if (status === 0 && command.includes("--json") && !isJson(stdout)) faults.push(`not JSON: ${stdout}`);
        return faults.map((fault) => `${command.slice(1, 3).join(" ")}: ${fault}`);
      },
      close() {
        server.close();
        remove();
      },
    };
  },
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
