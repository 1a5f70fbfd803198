import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Bundle, makeBundle } from "../../fixtures/bundle.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { type BareContainer, openBareContainer } from "../support/engines/bare-container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { askingBundle, type Jetson, openJetson } from "../support/host/jetson.ts";
import { snapshotMounts } from "../support/host/snapshot.ts";
import { MISSING_BEFORE, withoutCalls } from "../support/kernel/enosys.ts";
import { openSilentServer } from "../support/kernel/silent-server.ts";

const LIBRARIES = "/usr/lib/aarch64-linux-gnu";

/** Where a silent file system is mounted, what else the image has, and what is then not injected. */
interface Case {
  readonly name: string;
  readonly place: string;
  readonly kind?: "file";
  readonly links?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly without: string;
}

const NOTHING = "/nothing";
const CASES: readonly Case[] = [
  { name: "a library directory", place: `${LIBRARIES}/nvidia`, without: `${LIBRARIES}/nvidia` },
  { name: "all libraries", place: "/usr/lib", without: "/usr/lib" },
  { name: "a library", place: `${LIBRARIES}/nvidia/libcuda.so.1.1`, kind: "file", without: "libcuda.so.1.1" },
  { name: "a device", place: "/dev/nvmap", kind: "file", without: "/dev/nvmap" },
  { name: "/etc", place: "/etc", without: "/etc/" },
  { name: "the cache", place: "/etc/ld.so.cache", kind: "file", without: NOTHING },
  { name: "the cache's draft", place: "/etc/.nvoci-cache", kind: "file", without: NOTHING },
  { name: "the directory for files set aside", place: `${LIBRARIES}/nvidia/.nvoci-aside`, without: NOTHING },
  {
    name: "the end of a link",
    place: "/volume",
    links: { [`${LIBRARIES}/nvidia`]: "/volume/deep" },
    without: `${LIBRARIES}/nvidia`,
  },
  {
    name: "a directory of ld.so.conf",
    place: "/opt/lib",
    files: { "/etc/ld.so.conf.d/own.conf": "/opt/lib\n" },
    without: NOTHING,
  },
  {
    name: "a file in a directory of ld.so.conf",
    place: "/opt/lib/libown.so",
    kind: "file",
    files: { "/etc/ld.so.conf.d/own.conf": "/opt/lib\n" },
    without: NOTHING,
  },
  { name: "/usr/local/cuda", place: "/usr/local/cuda", without: NOTHING },
  { name: "a place that the hook does not use", place: "/volume", without: NOTHING },
];

/** A hook that accesses such a mount cannot be killed. The server ends by itself, so a failing test ends too. */
describeBuilds([...CONTAINER, "gcc", "strace"], "a volume whose server never answers", (build) => {
  let jetson: Jetson;
  const directory = temporaryDirectory("silent");
  beforeAll(async () => {
    jetson = await openJetson();
  });
  afterAll(() => {
    jetson?.close();
    directory.remove();
  });

  function makePlace(rootfs: string, { place, kind, links = {}, files = {} }: Case): string {
    for (const [path, target] of Object.entries(links)) {
      mkdirSync(join(rootfs, dirname(path)), { recursive: true });
      symlinkSync(target, join(rootfs, path));
    }
    for (const [path, text] of Object.entries(files)) writeFileSync(join(rootfs, path), text);
    const path = join(rootfs, place);
    mkdirSync(kind === "file" ? dirname(path) : path, { recursive: true });
    if (kind === "file") writeFileSync(path, "");
    return path;
  }

  async function trial(one: Case, command: readonly string[]): Promise<void> {
    const bundle: Bundle = makeBundle({ env: ["NVIDIA_VISIBLE_DEVICES=all"] });
    const place = makePlace(bundle.rootfs, one);
    const container: BareContainer = await openBareContainer(bundle, jetson.place);
    // /dev is the container's own file system, and still empty.
    if (one.place.startsWith("/dev/")) writeFileSync(join(`/proc/${container.pid}/root`, place), "");
    const server = await openSilentServer(container.pid, place);
    try {
      expect(container.runHook(command)).toEqual({ status: 0, stdout: "", stderr: "" });
      expect(server.asked()).toEqual([]);
      const mounted = snapshotMounts(container.pid).join("\n");
      const injected = [...jetson.files, ...jetson.devices].filter(
        (path) => !path.startsWith("/lib/") && !path.includes(one.without),
      );
      for (const path of injected) expect(mounted).toContain(`${bundle.rootfs}${path} `);
      expect(injected.length).toBeGreaterThan(5);
    } finally {
      server.close();
      container.close();
      bundle.remove();
    }
  }

  it.each(CASES)("is not accessed at $name", (one) => trial(one, [build.path, "hook", "prestart"]));

  it.each(CASES)("is not accessed on a kernel of 2016 at $name", (one) =>
    trial(one, withoutCalls(MISSING_BEFORE["4.9"], [build.path, "hook", "prestart"])));

  it("delays a hook that can be killed by one minute at most, set with one alarm", async () => {
    const bundle = makeBundle({ env: ["NVIDIA_VISIBLE_DEVICES=all"] });
    const container = await openBareContainer(bundle, jetson.place);
    const log = join(directory.path, "calls");
    const strace = ["strace", "-f", "-e", "trace=setitimer,openat2,setns,rt_sigaction", "-o", log];
    try {
      expect(container.runHook([...strace, build.path, "hook", "prestart"])).toMatchObject({ status: 0 });
      const calls = readFileSync(log, "utf8").split("\n");
      const timers = calls.filter((line) => line.includes("setitimer"));
      expect(timers).toEqual([expect.stringMatching(/ITIMER_REAL, .*it_value=\{tv_sec=60, tv_usec=0\}/)]);
      const position = (name: string): number => calls.findIndex((line) => line.includes(`${name}(`));
      expect(position("setitimer")).toBeLessThan(position("openat2"));
      expect(calls.filter((line) => /SIGALRM, \{sa_handler=(?!SIG_DFL)/.test(line))).toEqual([]);
    } finally {
      container.close();
      bundle.remove();
    }
  });

  it.each([
    ["", false],
    [" in a user namespace", true],
  ])("does not keep a real container from starting%s", async (_, userNamespace) => {
    const source = join(directory.path, `volume-${userNamespace}`);
    mkdirSync(source);
    const server = await openSilentServer(jetson.place.pid, source, true);
    const mounts = [`${LIBRARIES}/nvidia`, "/opt/lib"].map((destination) => ({
      destination,
      type: "bind",
      source,
      options: ["rbind"],
    }));
    const bundle = askingBundle(build, { mounts, userNamespace });
    writeFileSync(join(bundle.rootfs, "etc/ld.so.conf.d/own.conf"), "/opt/lib\n");
    try {
      const [device = ""] = jetson.devices;
      const result = runContainer(bundle, ["ls", device], jetson.place);
      expect(result).toEqual({ status: 0, stdout: `${device}\n`, stderr: "" });
      expect(server.asked()).toEqual([]);
    } finally {
      server.close();
      bundle.remove();
    }
  });
});
