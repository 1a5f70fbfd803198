import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, expect, it } from "vitest";
import type { Bundle, BundleOptions } from "../../fixtures/bundle.ts";
import { sharedObject } from "../../fixtures/host/shared-object.ts";
import { compileC } from "../../fixtures/run/compile-c.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { hookEntry } from "../support/build/builds.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { askingBundle, type Jetson } from "../support/host/jetson.ts";
import { type OtherLdconfig, openWithLdconfig, PROGRAMS } from "../support/host/other-ldconfig.ts";
import { snapshotTree } from "../support/host/snapshot.ts";

/** Allows images to run their own ldconfig. */
const ALLOWED = "[features]\nallow-ldconfig-from-container = true\n";

const asUser = (config: Record<string, unknown>): void => {
  (config.process as Record<string, unknown>).user = { uid: 1000, gid: 1000 };
};

const NVIDIA = "/usr/lib/aarch64-linux-gnu/nvidia";

describeBuilds([...CONTAINER, "gcc"], "the linker's cache of a container", (build) => {
  const made: (() => void)[] = [];
  afterEach(() => {
    for (const undo of made.splice(0).reverse()) undo();
  });
  const open = async (options: OtherLdconfig): Promise<Jetson> => {
    const jetson = await openWithLdconfig(options);
    made.push(jetson.close);
    return jetson;
  };
  /** Makes a container whose hook logs its findings. */
  const ask = (options: BundleOptions = {}): Bundle => {
    const command = [build.path, "hook", "-debug", "prestart"];
    const bundle = askingBundle(build, { hooks: { prestart: [hookEntry(command)] }, ...options });
    made.push(bundle.remove);
    return bundle;
  };
  /** The host's own ldconfig, at the path that the configuration names. */
  const HOST_OWN = readFileSync(existsSync("/sbin/ldconfig.real") ? "/sbin/ldconfig.real" : "/sbin/ldconfig");

  /** The hook's findings, in its log. */
  const logs = temporaryDirectory("logs");
  const LOG = join(logs.path, "log");
  afterEach(() => rmSync(LOG, { force: true }));
  afterAll(() => logs.remove());
  const logging: OtherLdconfig["config"] = `debug = "${LOG}"\n`;
  const log = (jetson: Jetson): string => jetson.place.run(["cat", LOG]).stdout;

  it.each([
    "script",
    "dynamic",
  ] as const)("is made by the image's ldconfig if the host's is a %s and the configuration allows it", async (kind) => {
    const jetson = await open({ program: PROGRAMS[kind](), config: `${logging}${ALLOWED}` });
    const bundle = ask({ edit: asUser });
    const { stdout } = runContainer(bundle, ["ldconfig", "-p"], jetson.place);
    expect(stdout).toContain(`libcuda.so.1 (libc6,x86-64) => ${NVIDIA}/libcuda.so.1`);
    expect(existsSync(join(bundle.rootfs, "ran"))).toBe(false);
    expect(log(jetson)).toContain("is not a static program");
    expect(log(jetson)).toContain("the image's own");
    const cache = join(bundle.rootfs, "etc/ld.so.cache");
    expect(mustRun(["stat", "-c", "%F %a %u:%g", cache])).toBe("regular file 644 0:0\n");
  });

  it.each([
    "script",
    "dynamic",
  ] as const)("is left alone, and no program of the image runs, if the host's ldconfig is a %s", async (kind) => {
    const library: OtherLdconfig["more"] = [
      { kind: "file", path: "/opt/made-up/libmade.so.1.2.3", content: sharedObject("libmade.so.1") },
    ];
    const manifest = "lib, /opt/made-up/libmade.so.1.2.3\n";
    const jetson = await open({ program: PROGRAMS[kind](), config: logging, manifest, more: library });
    const bundle = ask({ edit: asUser });
    // If it ran, it would write its report in place of the cache.
    writeFileSync(join(bundle.rootfs, "usr/sbin/ldconfig"), PROGRAMS.world());
    const before = readFileSync(join(bundle.rootfs, "etc/ld.so.cache"));
    const { stdout, stderr } = runContainer(bundle, ["readlink", "/opt/made-up/libmade.so.1"], jetson.place);
    expect([stdout, stderr]).toEqual(["libmade.so.1.2.3\n", ""]);
    expect(readFileSync(join(bundle.rootfs, "etc/ld.so.cache"))).toEqual(before);
    expect(log(jetson)).toContain("is not a static program");
    expect(log(jetson)).toContain("1 SONAME links are created instead");
  });

  it("is replaced by SONAME links if neither host nor image has an ldconfig", async () => {
    const library: OtherLdconfig["more"] = [
      { kind: "file", path: "/opt/made-up/libmade.so.1.2.3", content: sharedObject("libmade.so.1") },
    ];
    const manifest = "lib, /opt/made-up/libmade.so.1.2.3\n";
    const jetson = await open({ config: logging, manifest, more: library });
    const bundle = ask({ rootfs: "busybox" });
    const { stdout } = runContainer(bundle, ["readlink", "/opt/made-up/libmade.so.1"], jetson.place);
    expect(stdout).toBe("libmade.so.1.2.3\n");
    expect(log(jetson)).toContain("1 SONAME links are created instead");
  });

  // musl has a script that accepts glibc's options and makes no cache.
  it("is replaced by SONAME links if the image's ldconfig is a script", async () => {
    const library: OtherLdconfig["more"] = [
      { kind: "file", path: "/opt/made-up/libmade.so.1.2.3", content: sharedObject("libmade.so.1") },
    ];
    const manifest = "lib, /opt/made-up/libmade.so.1.2.3\n";
    const jetson = await open({ config: logging, manifest, more: library });
    const bundle = ask({ rootfs: "alpine" });
    writeFileSync(join(bundle.rootfs, "sbin/ldconfig"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    const { stdout, stderr } = runContainer(bundle, ["readlink", "/opt/made-up/libmade.so.1"], jetson.place);
    expect(stderr).toBe("");
    expect(stdout).toBe("libmade.so.1.2.3\n");
    expect(log(jetson)).toContain("1 SONAME links are created instead");
  });

  it.each([
    ["fails", "ldconfig: Can't create temporary cache file"],
    ["crashes", "killed by signal "],
    ["writesNothing", "it wrote no cache"],
    ["floods", "it wrote no cache"],
    ["forks", "ldconfig: no children"],
    ["hangs", "it did not finish within 5 s"],
    ["spins", /killed by signal 9|did not finish within 5 s/],
  ] as const)("is left alone, and links are made instead, if ldconfig %s", async (kind, reason) => {
    const library: OtherLdconfig["more"] = [
      { kind: "file", path: "/opt/made-up/libmade.so.1.2.3", content: sharedObject("libmade.so.1") },
    ];
    const manifest = "lib, /opt/made-up/libmade.so.1.2.3\n";
    const jetson = await open({ program: PROGRAMS[kind](), config: logging, manifest, more: library });
    const bundle = ask();
    const before = readFileSync(join(bundle.rootfs, "etc/ld.so.cache"));
    const { stdout, stderr } = runContainer(bundle, ["readlink", "/opt/made-up/libmade.so.1"], jetson.place);
    expect([stdout, stderr]).toEqual(["libmade.so.1.2.3\n", ""]);
    expect(log(jetson)).toContain("ldconfig failed: ");
    expect(log(jetson)).toMatch(reason);
    expect(log(jetson)).not.toContain("\u001b");
    expect(readFileSync(join(bundle.rootfs, "etc/ld.so.cache"))).toEqual(before);
  });

  it("is given up after 5 s if the image's ldconfig closes its output and sleeps", async () => {
    const jetson = await open({ program: PROGRAMS.script(), config: `${logging}${ALLOWED}` });
    const bundle = ask();
    writeFileSync(join(bundle.rootfs, "usr/sbin/ldconfig"), PROGRAMS.hangs());
    expect(runContainer(bundle, ["true"], jetson.place)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(log(jetson)).toContain("ldconfig failed: it did not finish within 5 s");
  });

  it("is given up after 5 s if another process holds a lease in a shared volume", async () => {
    const volume = temporaryDirectory("volume");
    made.push(volume.remove);
    const library = join(volume.path, "libleased.so.1");
    writeFileSync(library, sharedObject("libleased.so.1"));
    const jetson = await open({ program: HOST_OWN, config: logging });
    const mounts = [{ destination: "/usr/local/lib", type: "bind", source: volume.path, options: ["rbind"] }];
    const bundle = ask({ mounts });
    const holder = spawn(compileC(join(import.meta.dirname, "../support/host/holds-lease.c")), [library]);
    made.push(() => void holder.stdin.end());
    await once(holder.stdout, "data");
    writeFileSync(join(bundle.rootfs, "etc/ld.so.conf.d/local.conf"), "/usr/local/lib\n");
    expect(runContainer(bundle, ["true"], jetson.place)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(log(jetson)).toContain("ldconfig failed: it did not finish within 5 s");
  });

  it("does not delay the container by minutes given twenty thousand libraries", async () => {
    const volume = temporaryDirectory("volume");
    made.push(volume.remove);
    const template = Buffer.from(sharedObject("libn000000.so"));
    const at = template.indexOf("libn000000.so");
    for (let index = 0; index < 20_000; index++) {
      template.write(`${index}`.padStart(6, "0"), at + 4);
      writeFileSync(join(volume.path, `libn${index}.so.1`), template);
    }
    const jetson = await open({ program: HOST_OWN, config: logging });
    const mounts = [{ destination: "/usr/local/lib", type: "bind", source: volume.path, options: ["rbind"] }];
    const bundle = ask({ mounts });
    const lines = Array.from({ length: 240 }, (_, count) => `/usr/local${"/".repeat(count + 1)}lib\n`);
    writeFileSync(join(bundle.rootfs, "etc/ld.so.conf.d/local.conf"), lines.join(""));
    const names = readdirSync(volume.path).length;
    const begun = Date.now();
    expect(runContainer(bundle, ["true"], jetson.place)).toEqual({ status: 0, stdout: "", stderr: "" });
    // A generous ceiling. Looking at a hundred thousand names 240 times takes two minutes.
    expect(Date.now() - begun).toBeLessThan(60_000);
    expect(readdirSync(volume.path)).toHaveLength(names);
    expect(log(jetson)).toMatch(/ldconfig failed|^(?!.*ldconfig)/s);
  });

  it("lists libraries of several gigabytes", async () => {
    const jetson = await open({ program: HOST_OWN });
    const bundle = ask();
    const large = join(bundle.rootfs, "usr/lib/liblarge.so.1");
    writeFileSync(large, sharedObject("liblarge.so.1"));
    truncateSync(large, 3 * 1024 ** 3);
    expect(runContainer(bundle, ["ldconfig", "-p"], jetson.place).stdout).toContain("liblarge.so.1 ");
  });

  it("leaves the links of the image and of volumes alone", async () => {
    const volume = temporaryDirectory("volume");
    made.push(volume.remove);
    const jetson = await open({ program: HOST_OWN });
    const mounts = [{ destination: "/usr/local/lib", type: "bind", source: volume.path, options: ["rbind"] }];
    const bundle = ask({ mounts });
    writeFileSync(join(bundle.rootfs, "etc/ld.so.conf.d/local.conf"), "/usr/local/lib\n/opt/image\n");
    mkdirSync(join(bundle.rootfs, "opt/image"), { recursive: true });
    for (const directory of [volume.path, join(bundle.rootfs, "opt/image")]) {
      for (const name of ["libtool.so.1.0", "libtool.so.1.1"])
        writeFileSync(join(directory, name), sharedObject("libtool.so.1"));
      symlinkSync("libtool.so.1.0", join(directory, "libtool.so.1"));
      symlinkSync("nowhere", join(directory, "libgone.so.1"));
      writeFileSync(join(directory, "libnew.so.1.0"), sharedObject("libnew.so.1"));
    }
    const before = [volume.path, join(bundle.rootfs, "opt/image")].map((path) => snapshotTree(path, []));
    expect(runContainer(bundle, ["ldconfig", "-p"], jetson.place).stdout).toContain("libcuda.so.1 ");
    expect([volume.path, join(bundle.rootfs, "opt/image")].map((path) => snapshotTree(path, []))).toEqual(
      before,
    );
  });

  it("is not rewritten when nothing changes", async () => {
    const jetson = await open({ program: HOST_OWN });
    const bundle = ask();
    const cache = join(bundle.rootfs, "etc/ld.so.cache");
    runContainer(bundle, ["true"], jetson.place);
    const { ino, ctimeMs } = statSync(cache);
    const etc = statSync(join(bundle.rootfs, "etc")).mtimeMs;
    expect(runContainer(bundle, ["true"], jetson.place).status).toBe(0);
    expect(statSync(cache)).toMatchObject({ ino, ctimeMs });
    expect(statSync(join(bundle.rootfs, "etc")).mtimeMs).toBe(etc);
  });

  it("does not make the hook keep megabytes of ldconfig's output", async () => {
    const measure = async (program: Uint8Array) => {
      const jetson = await open({ program });
      const report = join(logs.path, "time");
      const hook = hookEntry(["/bin/busybox", "time", "-v", "-o", report, build.path, "hook", "prestart"]);
      runContainer(ask({ hooks: { prestart: [hook] } }), ["true"], jetson.place);
      const [, size] = /Maximum resident set size \(kbytes\): (\d+)/.exec(readFileSync(report, "utf8")) ?? [];
      return Number(size);
    };
    const failing = await measure(PROGRAMS.fails());
    const flooding = await measure(PROGRAMS.floods());
    expect(failing).toBeGreaterThan(0);
    // The program prints sixty megabytes.
    expect(flooding).toBeLessThan(1.5 * failing);
  });

  it("is left alone on a read-only root file system, and the container starts", async () => {
    const manifest = `dev, /dev/nvmap\nlib, ${NVIDIA}/libcuda.so.1.1\n`;
    const jetson = await open({ program: PROGRAMS.fails(), manifest, config: logging });
    const { rootfs, ...bundle } = ask();
    // Such an image must contain the placeholders.
    mkdirSync(join(rootfs, NVIDIA), { recursive: true });
    for (const path of [`${NVIDIA}/libcuda.so.1.1`, "/etc/nv_tegra_release"])
      writeFileSync(join(rootfs, path), "");
    const before = readFileSync(join(rootfs, "etc/ld.so.cache"));
    jetson.place.run(["mount", "--bind", rootfs, rootfs]);
    jetson.place.run(["mount", "-o", "remount,bind,ro", rootfs]);
    const command = ["cat", "/etc/nv_tegra_release"];
    const inside = runContainer({ rootfs, ...bundle }, command, jetson.place);
    jetson.place.run(["umount", rootfs]);
    expect(inside).toEqual(jetson.place.run(command));
    expect(log(jetson)).toContain("is not writable");
    expect(readFileSync(join(rootfs, "etc/ld.so.cache"))).toEqual(before);
  });

  it("is made on a host with vm.memfd_noexec = 1", async () => {
    const jetson = await open({ program: HOST_OWN });
    const runtime = join(logs.path, "runc");
    // The setting is per pid namespace, so the runtime runs in its own.
    const script = 'echo 1 >/proc/sys/vm/memfd_noexec 2>/dev/null; exec runc "$@"';
    writeFileSync(
      runtime,
      `#!/bin/sh\nexec unshare --pid --fork --mount-proc sh -c '${script}' runc "$@"\n`,
      { mode: 0o755 },
    );
    const { stdout, stderr } = runContainer(ask(), ["ldconfig", "-p"], jetson.place, runtime);
    expect(stderr).toBe("");
    expect(stdout).toContain("libcuda.so.1 ");
  });

  // Nix makes every directory 0555, and ldconfig has no capability to write there anyway.
  it.each([
    ["that is not writable", "555", "0:0"],
    ["that only its owner can enter", "500", "0:0"],
    ["that belongs to another user", "755", "1000:1000"],
  ])("is made in an /etc %s, and leaves its mode and owner alone", async (_, mode, owner) => {
    const jetson = await open({ program: HOST_OWN });
    const bundle = ask();
    const etc = join(bundle.rootfs, "etc");
    mustRun(["chown", owner, etc]);
    mustRun(["chmod", mode, etc]);
    const { stdout, stderr } = runContainer(bundle, ["ldconfig", "-p"], jetson.place);
    expect(stderr).toBe("");
    expect(stdout).toContain("libcuda.so.1 ");
    expect(mustRun(["stat", "-c", "%a %u:%g", etc])).toBe(`${mode} ${owner}\n`);
    expect(readdirSync(etc).filter((name) => name.startsWith(".nvoci"))).toEqual([]);
    expect(mustRun(["stat", "-c", "%a", join(etc, "ld.so.cache")])).toBe("644\n");
  });

  it("is left alone if a volume is mounted on it, and the container starts", async () => {
    const jetson = await open({ program: HOST_OWN, config: logging });
    const bundle = ask();
    const source = join(bundle.directory, "cache");
    writeFileSync(source, "of the user");
    const mounts = [{ destination: "/etc/ld.so.cache", type: "bind", source, options: ["rbind"] }];
    (bundle.config.mounts as object[]).push(...mounts);
    expect(runContainer(bundle, ["cat", "/etc/ld.so.cache"], jetson.place)).toEqual({
      status: 0,
      stdout: "of the user",
      stderr: "",
    });
    expect(log(jetson)).toContain("another mount is at");
    expect(readdirSync(join(bundle.rootfs, "etc")).filter((name) => name.startsWith(".nvoci"))).toEqual([]);
  });

  it("is not made if /etc is not a directory, and the container starts", async () => {
    const manifest = `lib, ${NVIDIA}/libcuda.so.1.1\n`;
    const jetson = await open({ program: PROGRAMS.fails(), manifest, config: logging });
    const bundle = ask({ rootfs: "busybox" });
    rmSync(join(bundle.rootfs, "etc"), { recursive: true });
    writeFileSync(join(bundle.rootfs, "etc"), "a file");
    const command = ["sha256sum", `${NVIDIA}/libcuda.so.1.1`];
    expect(runContainer(bundle, command, jetson.place)).toEqual(jetson.place.run(command));
    expect(log(jetson)).toContain("the image has no /etc");
  });

  it("is left alone with ldconfig = false", async () => {
    const jetson = await open({ program: PROGRAMS.fails(), config: "[nvoci]\nldconfig = false\n" });
    const bundle = ask();
    const before = readFileSync(join(bundle.rootfs, "etc/ld.so.cache"));
    expect(runContainer(bundle, ["true"], jetson.place).status).toBe(0);
    expect(readFileSync(join(bundle.rootfs, "etc/ld.so.cache"))).toEqual(before);
  });

  it("keeps the image's order of directories, after injected ones that the image does not name", async () => {
    const own = "/usr/lib/aarch64-linux-gnu";
    const manifest = ["/opt/made-up", NVIDIA, own].map((path) => `lib, ${path}/libnvorder.so.1\n`).join("");
    const jetson = await open({ program: HOST_OWN, manifest });
    const bundle = ask();
    for (const [name, text] of [
      ["a.conf", `${NVIDIA}/\n`],
      ["b.conf", `include /etc/more.conf # comment\n/image/second\n`],
    ]) {
      writeFileSync(join(bundle.rootfs, "etc/ld.so.conf.d", name ?? ""), text ?? "");
    }
    writeFileSync(join(bundle.rootfs, "etc/more.conf"), `/image/first\n${own}\n`);
    for (const name of ["first", "second"]) {
      mkdirSync(join(bundle.rootfs, "image", name), { recursive: true });
      writeFileSync(join(bundle.rootfs, "image", name, "libnvorder.so.1"), sharedObject("libnvorder.so.1"));
    }
    const { stdout } = runContainer(bundle, ["ldconfig", "-p"], jetson.place);
    const order = [...stdout.matchAll(/libnvorder\.so\.1 .*=> (.*)\/libnvorder/g)].map(([, path]) => path);
    expect(order).toEqual(["/opt/made-up", NVIDIA, "/image/first", own, "/image/second"]);
  });

  it("is made with SONAME links in injected directories, and without an auxiliary cache", async () => {
    const manifest = "lib, /opt/made-up/libmade.so.1.2.3\n";
    const content = sharedObject("libmade.so.1");
    const more = [{ kind: "file", path: "/opt/made-up/libmade.so.1.2.3", content } as const];
    const jetson = await open({ program: HOST_OWN, manifest, more });
    const bundle = ask();
    mkdirSync(join(bundle.rootfs, "var/cache/ldconfig"), { recursive: true });
    const { stdout } = runContainer(bundle, ["readlink", "/opt/made-up/libmade.so.1"], jetson.place);
    expect(stdout).toBe("libmade.so.1.2.3\n");
    expect(readdirSync(join(bundle.rootfs, "var/cache/ldconfig"))).toEqual([]);
  });

  it("is not written through a link, nor into a directory, in its place", async () => {
    const jetson = await open({ program: HOST_OWN, config: logging });
    const linked = ask();
    const cache = join(linked.rootfs, "etc/ld.so.cache");
    renameSync(cache, `${cache}.old`);
    mustRun(["ln", "-s", "/etc/ld.so.cache.old", cache]);
    const old = readFileSync(`${cache}.old`);
    expect(runContainer(linked, ["ldconfig", "-p"], jetson.place).stdout).toContain("libcuda.so.1 ");
    expect(readFileSync(`${cache}.old`)).toEqual(old);

    const blocked = ask();
    rmSync(join(blocked.rootfs, "etc/ld.so.cache"));
    mkdirSync(join(blocked.rootfs, "etc/ld.so.cache/content"), { recursive: true });
    expect(runContainer(blocked, ["true"], jetson.place)).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});
