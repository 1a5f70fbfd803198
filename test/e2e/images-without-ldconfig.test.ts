import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import type { BundleOptions } from "../../fixtures/bundle.ts";
import { fileEntry } from "../../fixtures/host/tree-entry.ts";
import { makeRootfs } from "../../fixtures/rootfs.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import {
  askingBundle,
  describeCommand,
  describeHost,
  type Jetson,
  openJetson,
} from "../support/host/jetson.ts";

type Image = NonNullable<BundleOptions["rootfs"]>;

/** Makes a Debian image whose ldconfig is something else. */
const withLdconfig =
  (make: (path: string) => void): Image =>
  (directory) => {
    makeRootfs(directory, "debian");
    const path = join(directory, "usr/sbin/ldconfig");
    for (const name of [path, `${path}.real`]) rmSync(name, { force: true });
    make(path);
  };

const program =
  (content: string | Uint8Array, mode = 0o755) =>
  (path: string): void => {
    writeFileSync(path, content);
    chmodSync(path, mode);
  };

/** The program of another machine. */
const foreign = (): Uint8Array => {
  const bytes = readFileSync("/bin/busybox");
  bytes.writeUInt16LE(process.arch === "arm64" ? 62 : 183, 18);
  return bytes;
};

const IMAGES = {
  "of busybox": "busybox",
  "of Alpine": "alpine",
  "of Alpine with its script": (directory: string) => {
    makeRootfs(directory, "alpine");
    program("#!/bin/sh\nexit 1\n")(join(directory, "sbin/ldconfig"));
  },
  "of Debian without ldconfig": withLdconfig(() => {}),
  "with a dangling link": withLdconfig((path) => symlinkSync("/nowhere", path)),
  "with a link to itself": withLdconfig((path) => symlinkSync("ldconfig", path)),
  "with a directory": withLdconfig((path) => mkdirSync(path)),
  "with an empty file": withLdconfig(program("")),
  "with a file that is not executable": withLdconfig(program(readFileSync("/bin/busybox"), 0o644)),
  "with a script whose interpreter is missing": withLdconfig(program("#!/opt/none\n")),
  "with a program of another machine": withLdconfig(program(foreign())),
  "with a program that fails": withLdconfig(program("#!/bin/sh\nexit 3\n")),
} as const satisfies Readonly<Record<string, Image>>;

const ALLOWED = "[features]\nallow-ldconfig-from-container = true\n";

const CONFIGURATIONS: Readonly<Record<string, string>> = {
  "the image's ldconfig": `${ALLOWED}[nvidia-container-cli]\nldconfig = "/sbin/ldconfig"\n`,
  "an ldconfig that no image has": `${ALLOWED}[nvidia-container-cli]\nldconfig = "/opt/none/ldconfig"\n`,
  "an ldconfig that the host lacks": `${ALLOWED}[nvidia-container-cli]\nldconfig = "@/opt/none/ldconfig"\n`,
  "the host's ldconfig": "",
};

describeBuilds(CONTAINER, "an image", (build) => {
  const made: (() => void)[] = [];
  afterEach(() => {
    for (const undo of made.splice(0).reverse()) undo();
  });
  const open = async (config: string): Promise<Jetson> => {
    const jetson = await openJetson({
      more: [fileEntry("/etc/nvidia-container-runtime/config.toml", config)],
    });
    made.push(jetson.close);
    return jetson;
  };
  const start = (jetson: Jetson, rootfs: Image, command: readonly string[]) => {
    const bundle = askingBundle(build, { rootfs });
    made.push(bundle.remove);
    return { bundle, ...runContainer(bundle, command, jetson.place) };
  };

  it.each(
    Object.keys(CONFIGURATIONS),
  )("without a usable ldconfig starts if config.toml names %s", async (kind) => {
    const jetson = await open(CONFIGURATIONS[kind] ?? "");
    const host = describeHost(jetson);
    for (const [name, rootfs] of Object.entries(IMAGES)) {
      const { status, stdout, stderr } = start(jetson, rootfs, describeCommand(jetson));
      expect({ status, stdout, stderr }, name).toEqual(host);
    }
  });

  it("without the ldconfig that config.toml names gets its cache from the host's", async () => {
    const jetson = await open(CONFIGURATIONS["the image's ldconfig"] ?? "");
    const { bundle } = start(jetson, IMAGES["of Debian without ldconfig"], ["true"]);
    expect(readFileSync(join(bundle.rootfs, "etc/ld.so.cache"), "latin1")).toContain(
      "/usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1",
    );
  });
});
