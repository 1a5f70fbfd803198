import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Bundle } from "../../fixtures/bundle.ts";
import { type FakeServer, openServer } from "../../fixtures/host/fake-server.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { hookEntry } from "../support/build/builds.ts";
import { openBareContainer } from "../support/engines/bare-container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { type ServerBundleOptions, serverBundle } from "../support/engines/server-bundle.ts";
import { MUSL_PATH_FILE, makeMuslImage } from "../support/image/musl-image.ts";

/** What musl searches without a file. */
const DEFAULTS = "/lib:/usr/local/lib:/usr/lib\n";

const OURS = "/usr/lib64\n";

describeBuilds([...CONTAINER, "gcc", "strace", "musl"], "an image with musl", (build) => {
  let server: FakeServer;
  const made: (() => void)[] = [];
  beforeAll(async () => {
    server = await openServer();
  });
  afterAll(() => {
    for (const undo of made) undo();
    server?.close();
  });
  const ask = (options: ServerBundleOptions = {}): Bundle => {
    const bundle = serverBundle(build, {
      rootfs: makeMuslImage,
      driverCapabilities: "compute,utility",
      ...options,
    });
    made.push(bundle.remove);
    return bundle;
  };
  const file = (bundle: Bundle): string => join(bundle.rootfs, MUSL_PATH_FILE);
  const useCuda = (bundle: Bundle) => runContainer(bundle, ["/bin/use-cuda"], server.place);
  const drafts = (bundle: Bundle): string[] =>
    readdirSync(join(bundle.rootfs, "etc")).filter((name) => name.startsWith(".nvoci"));

  it.each([false, true])("runs programs that need the driver (user namespace: %s)", (userNamespace) => {
    const bundle = ask({ userNamespace });
    expect(useCuda(bundle)).toEqual({ status: 0, stdout: "535\n", stderr: "" });
    expect(readFileSync(file(bundle), "utf8")).toBe(OURS + DEFAULTS);
    expect(drafts(bundle)).toEqual([]);
  });

  it("keeps what its own file lists, and lists the driver once however often it starts", () => {
    const bundle = ask();
    writeFileSync(file(bundle), "/opt/own/lib\n/usr/lib");
    for (let start = 0; start < 3; start++) expect(useCuda(bundle).stdout).toBe("535\n");
    expect(readFileSync(file(bundle), "utf8")).toBe(`${OURS}/opt/own/lib\n/usr/lib`);
  });

  it("keeps its file untouched if it lists the driver's directory already", () => {
    const bundle = ask();
    writeFileSync(file(bundle), "/lib:/usr/lib64:/usr/lib");
    expect(useCuda(bundle).stdout).toBe("535\n");
    expect(readFileSync(file(bundle), "utf8")).toBe("/lib:/usr/lib64:/usr/lib");
  });

  it("gets directories of config.toml into its list", async () => {
    const config = '[nvoci]\n[[nvoci.directories]]\nhost = "/opt/cuda-test"\n';
    const other = await openServer({
      config,
      more: [{ kind: "file", path: "/opt/cuda-test/lib64/libx.so.1", content: Buffer.from(""), mode: 0o644 }],
    });
    const bundle = ask();
    try {
      expect(runContainer(bundle, ["/bin/use-cuda"], other.place).stdout).toBe("535\n");
      expect(readFileSync(file(bundle), "utf8")).toBe(`/usr/lib64\n/opt/cuda-test/lib64\n${DEFAULTS}`);
    } finally {
      other.close();
    }
  });

  it("does not write through a link to the host", () => {
    const bundle = ask();
    const host = temporaryDirectory("canary");
    made.push(host.remove);
    const canary = join(host.path, "file");
    writeFileSync(canary, "/host");
    symlinkSync(canary, file(bundle));
    expect(useCuda(bundle).stdout).toBe("535\n");
    expect(readFileSync(canary, "utf8")).toBe("/host");
    expect(readFileSync(file(bundle), "utf8")).toBe(OURS + DEFAULTS);
  });

  it.each([
    ["is a directory with content", (path: string) => mkdirSync(join(path, "content"), { recursive: true })],
    [
      "is larger than any",
      (path: string) => {
        writeFileSync(path, "");
        truncateSync(path, 1 << 30);
      },
    ],
    ["is not UTF-8", (path: string) => writeFileSync(path, Buffer.from([0x2f, 0xff]))],
  ])("starts with the driver if its file %s, which stays", (_, make) => {
    const bundle = ask();
    make(file(bundle));
    expect(
      runContainer(bundle, ["/bin/ls", "/usr/lib64/libcuda.so.1", MUSL_PATH_FILE], server.place).status,
    ).toBe(0);
    expect(existsSync(file(bundle))).toBe(true);
    expect(drafts(bundle)).toEqual([]);
  });

  it("keeps a file that the user mounts", () => {
    const volume = temporaryDirectory("volume");
    made.push(volume.remove);
    const source = join(volume.path, "path");
    writeFileSync(source, "/lib\n");
    const bundle = ask({
      mounts: [{ destination: MUSL_PATH_FILE, type: "bind", source, options: ["rbind"] }],
    });
    expect(runContainer(bundle, ["/bin/cat", MUSL_PATH_FILE], server.place).stdout).toBe("/lib\n");
    expect(readFileSync(source, "utf8")).toBe("/lib\n");
  });

  it("gets its own file back if the start fails later", () => {
    // ldconfig comes later.
    const inject = "inject=socketpair:error=ENOBUFS";
    const failing = hookEntry([
      "/usr/bin/strace",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      inject,
      build.path,
      "hook",
      "prestart",
    ]);
    const bundle = ask({ hooks: { prestart: [failing] } });
    writeFileSync(file(bundle), "/opt/own/lib");
    expect(useCuda(bundle)).toMatchObject({ status: 1, stderr: expect.stringContaining("socketpair") });
    expect(readFileSync(file(bundle), "utf8")).toBe("/opt/own/lib");
    rmSync(file(bundle));
    expect(useCuda(bundle).status).not.toBe(0);
    expect(existsSync(file(bundle))).toBe(false);
    expect(drafts(bundle)).toEqual([]);
  });

  it.each([
    "the next start",
    "nvoci clean",
  ])("has a whole file whenever the hook is killed, and nothing else after %s", async (next) => {
    const bundle = ask();
    const hook = [build.path, "hook", "prestart"];
    const whole = ["/opt/own/lib", `${OURS}/opt/own/lib`];
    for (let when = 1, killed = true; killed; when++) {
      writeFileSync(file(bundle), "/opt/own/lib");
      const container = await openBareContainer(bundle, server.place);
      const inject = `inject=renameat2:signal=SIGKILL:when=${when}`;
      const { status } = container.runHook(["strace", "-qq", "-o", "/dev/null", "-e", inject, ...hook]);
      killed = status !== 0;
      expect(whole).toContain(readFileSync(file(bundle), "utf8"));
      container.close();
      if (next === "nvoci clean") {
        mustRun([build.path, "clean", bundle.rootfs]);
        expect(drafts(bundle)).toEqual([]);
        expect(whole).toContain(readFileSync(file(bundle), "utf8"));
      }
      expect(when).toBeLessThan(100);
    }
    expect(readFileSync(file(bundle), "utf8")).toBe(`${OURS}/opt/own/lib`);
    expect(drafts(bundle)).toEqual([]);
  });
});
