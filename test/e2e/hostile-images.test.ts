import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { HookEntry } from "../../fixtures/bundle.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { openNamespace } from "../../fixtures/run/private-namespace.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { isWithin } from "../../src/model/paths.ts";
import { linux } from "../../src/sys/linux.ts";
import { CWD } from "../../src/sys/syscalls.ts";
import { hookEntry } from "../support/build/builds.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { applyLayout, hostileLayouts } from "../support/host/hostile-layouts.ts";
import {
  askingBundle,
  describeCommand,
  describeHost,
  type Jetson,
  openJetson,
} from "../support/host/jetson.ts";
import { snapshotMounts, snapshotTree } from "../support/host/snapshot.ts";
import { nodeEngine } from "../support/kernel/node-engine.ts";

const NVIDIA = "/usr/lib/aarch64-linux-gnu/nvidia";
const S_IFSOCK = 0o140000;

/** Makes something other than a regular file at a path. */
function putThing(path: string, kind: string): void {
  if (kind === "fifo") mustRun(["mkfifo", path]);
  else if (kind === "device") mustRun(["mknod", path, "c", "1", "5"]);
  else if (kind === "socket") linux(nodeEngine()).mknodat(CWD, path, S_IFSOCK | 0o755);
  else if (kind === "empty directory") mkdirSync(path);
  else symlinkSync("/dev/zero", path);
}

describeBuilds(CONTAINER, "a hostile image", (build) => {
  const canary = temporaryDirectory("canary");
  let jetson: Jetson;
  beforeAll(async () => {
    mkdirSync(join(canary.path, "lib"));
    mkdirSync(join(canary.path, "etc"));
    writeFileSync(join(canary.path, "secret"), "secret");
    jetson = await openJetson();
  });
  afterAll(() => {
    jetson?.close();
    canary.remove();
  });

  const layouts = hostileLayouts(canary.path).filter(({ runcFollows }) => runcFollows !== true);

  it.each(layouts)("cannot change the host, and still gets its files, where $name", (layout) => {
    // A static shell lets the image work whatever its directories are.
    const bundle = askingBundle(build, { rootfs: "busybox" });
    applyLayout(bundle.rootfs, layout);
    const files = snapshotTree(canary.path);
    const mounts = snapshotMounts(jetson.place.pid);
    try {
      const isReachable = (path: string) => !isWithin(path, layout.unreachable ?? "/nowhere");
      const seen = { files: jetson.files.filter(isReachable), links: jetson.links.filter(isReachable) };
      const inside = runContainer(bundle, describeCommand(seen), jetson.place);
      if (layout.refused === true) expect(inside.status).not.toBe(0);
      else expect(inside).toEqual(jetson.place.run(describeCommand(seen)));
      expect(snapshotTree(canary.path)).toEqual(files);
      expect(snapshotMounts(jetson.place.pid)).toEqual(mounts);
      expect(jetson.host.changes()).toEqual([]);
    } finally {
      bundle.remove();
    }
  });

  it.each([
    "fifo",
    "device",
    "socket",
    "empty directory",
    "link to a device",
  ])("cannot keep a library out with a %s in its place", (kind) => {
    const bundle = askingBundle(build, { rootfs: "busybox" });
    try {
      const path = join(bundle.rootfs, NVIDIA);
      mkdirSync(path, { recursive: true });
      putThing(join(path, "libcuda.so.1.1"), kind);
      putThing(join(path, "libcuda.so.1"), kind);
      putThing(join(bundle.rootfs, "etc/nvpmodel.conf"), kind);
      expect(runContainer(bundle, describeCommand(jetson), jetson.place)).toEqual(describeHost(jetson));
    } finally {
      bundle.remove();
    }
  });

  it("keeps its own directories that are not empty, and gets the rest", () => {
    const bundle = askingBundle(build, { rootfs: "busybox" });
    try {
      const kept = ["/etc/nvpmodel.conf", `${NVIDIA}/libcuda.so.1`];
      for (const path of kept) {
        mkdirSync(join(bundle.rootfs, path), { recursive: true });
        writeFileSync(join(bundle.rootfs, path, "content"), "of the image");
      }
      const rest = {
        files: jetson.files.filter((path) => !kept.includes(path)),
        links: jetson.links.filter((path) => !kept.includes(path)),
      };
      const inside = runContainer(bundle, describeCommand(rest), jetson.place);
      expect(inside).toEqual(jetson.place.run(describeCommand(rest)));
      for (const path of kept) expect(readdirSync(join(bundle.rootfs, path))).toEqual(["content"]);
    } finally {
      bundle.remove();
    }
  });

  it("cannot lead a hook without a runtime through a link in place of /dev", async () => {
    const bundle = askingBundle(build, { rootfs: "busybox" });
    const layout = hostileLayouts(canary.path).find(({ runcFollows }) => runcFollows === true);
    if (layout === undefined) throw new Error("no such layout");
    applyLayout(bundle.rootfs, layout);
    const { rootfs, directory } = bundle;
    const keeper = await openNamespace([`mount --bind ${rootfs} ${rootfs}`], jetson.place);
    const files = snapshotTree(canary.path);
    try {
      const input = JSON.stringify({ ociVersion: "1.0.2", id: "x", pid: keeper.pid, bundle: directory });
      // The container's cgroup is the host's, so the hook must not change it.
      const config = join(directory, "config.toml");
      writeFileSync(config, "[nvidia-container-cli]\nno-cgroups = true\n");
      const { status, stderr } = jetson.place.run([build.path, "hook", "-config", config, "prestart"], {
        input,
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(snapshotTree(canary.path)).toEqual(files);
      const mounts = snapshotMounts(keeper.pid);
      expect(mounts.filter((line) => line.startsWith(canary.path))).toEqual([]);
      expect(mounts.some((line) => line.startsWith(`${rootfs}${canary.path}/nvmap `))).toBe(true);
    } finally {
      keeper.close();
      bundle.remove();
    }
  });

  it("cannot make the hook run the image's programs", () => {
    const bundle = askingBundle(build, { rootfs: "busybox" });
    const marker = join(canary.path, "ran");
    for (const name of ["ldconfig", "nvidia-smi", "nvidia-ctk"]) {
      writeFileSync(join(bundle.rootfs, "sbin", name), `#!/bin/sh\ntouch ${marker} /ran\n`, { mode: 0o755 });
    }
    const before = snapshotTree(canary.path);
    try {
      const { stdout } = runContainer(bundle, ["sh", "-c", "ls /ran"], jetson.place);
      expect(stdout).toBe("");
      expect(snapshotTree(canary.path)).toEqual(before);
    } finally {
      bundle.remove();
    }
  });

  it.each([
    ["its own environment", hookEntry([build.path, "hook", "prestart"])],
    ["none, so that it inherits the runtime's", { path: build.path, args: ["nvoci", "hook", "prestart"] }],
  ])("cannot reach the hook through its environment when the hook's entry has %s", (_, entry) => {
    const marker = join(canary.path, "ran");
    const env = ["LD_PRELOAD=/evil.so", "NODE_OPTIONS=--require=/evil.js", "PATH=/evil", "LD_AUDIT=/evil.so"];
    const bundle = askingBundle(build, { env, hooks: { prestart: [entry as HookEntry] } });
    const script = `require("fs").writeFileSync(${JSON.stringify(marker)}, "")`;
    writeFileSync(join(bundle.rootfs, "evil.js"), script);
    const before = snapshotTree(canary.path);
    try {
      const command = ["/usr/bin/readlink", `${NVIDIA}/libcuda.so`];
      expect(runContainer(bundle, command, jetson.place).stdout).toBe("libcuda.so.1\n");
      expect(snapshotTree(canary.path)).toEqual(before);
    } finally {
      bundle.remove();
    }
  });

  // The caller's environment can be the image's: runc passes that to createContainer hooks without one.
  it("cannot make a hook that inherits its environment start Node.js or a program of the image", () => {
    const bundle = askingBundle(build);
    const marker = join(canary.path, "ran");
    const evil = join(bundle.directory, "evil");
    mkdirSync(evil);
    writeFileSync(join(evil, "evil.js"), `require("fs").writeFileSync(${JSON.stringify(marker)}, "")`);
    for (const name of ["node", "sh", "env", "ldconfig", "ulimit"]) {
      writeFileSync(join(evil, name), `#!/bin/sh\n: > ${marker}\n`, { mode: 0o755 });
    }
    const env = [
      `PATH=${evil}`,
      `NODE_OPTIONS=--require=${evil}/evil.js`,
      `NODE_PATH=${evil}`,
      `ENV=${evil}/sh`,
      `BASH_ENV=${evil}/sh`,
      "NVIDIA_VISIBLE_DEVICES=all",
    ];
    const entry = hookEntry([build.path, "hook", "prestart"], env);
    try {
      const { hooks: _, ...config } = bundle.config;
      const hostile = { ...bundle, config: { ...config, hooks: { prestart: [entry] } } };
      const command = ["readlink", `${NVIDIA}/libcuda.so`];
      expect(runContainer(hostile, command, jetson.place).stdout).toBe("libcuda.so.1\n");
      expect(existsSync(marker)).toBe(false);
    } finally {
      bundle.remove();
    }
  });

  it("cannot have the hook run in the container's namespaces", () => {
    const bundle = askingBundle(build, { env: ["NVIDIA_VISIBLE_DEVICES=all"] });
    try {
      const { status, stderr } = jetson.place.run([build.path, "hook", "createContainer"], { input: "{}" });
      expect(status).toBe(2);
      expect(stderr).toContain("register it at createRuntime or prestart");
    } finally {
      bundle.remove();
    }
  });
});
