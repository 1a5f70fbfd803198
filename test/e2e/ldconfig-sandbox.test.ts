import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { BundleOptions } from "../../fixtures/bundle.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { hookEntry } from "../support/build/builds.ts";
import { openBareContainer } from "../support/engines/bare-container.ts";
import { withFault } from "../support/engines/inject-fault.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { askingBundle, type Jetson } from "../support/host/jetson.ts";
import {
  OTHER_LDCONFIG,
  type OtherLdconfig,
  openWithLdconfig,
  PROGRAMS,
} from "../support/host/other-ldconfig.ts";
import { snapshotMounts } from "../support/host/snapshot.ts";
import { withoutCalls } from "../support/kernel/enosys.ts";

const EACCES = 13;
const EPERM = 1;
const EROFS = 30;
const ENOENT = 2;
const ENOMEM = 12;

/** Allows images to run their own ldconfig. */
const ALLOWED = "[features]\nallow-ldconfig-from-container = true\n";

/** The report of ldconfig-world.c about itself and its surroundings. */
type World = Readonly<Record<string, number | string | readonly number[]>>;

/** The ways in which the program in ldconfig's place is started. */
const WAYS = ["the host's program", "the image's program", "the host's program on Linux 4.9"] as const;

describeBuilds([...CONTAINER, "gcc"], "the confined ldconfig", (build) => {
  const old = ["mount_setattr", "open_tree", "move_mount", "openat2", "close_range"];
  let volume: TemporaryDirectory;
  beforeAll(() => {
    volume = temporaryDirectory("volume");
    mustRun(["mknod", "-m", "666", join(volume.path, "device"), "c", "1", "3"]);
    writeFileSync(join(volume.path, "secret"), "of root", { mode: 0o600 });
  });
  afterAll(() => volume?.remove());

  /** Runs a container with the reporting program as ldconfig. Returns the report. */
  function look(jetson: Jetson, options: BundleOptions & { image?: boolean } = {}): World {
    const mounts = [{ destination: "/volume", type: "bind", source: volume.path, options: ["rbind"] }];
    const bundle = askingBundle(build, { mounts, ...options });
    try {
      mustRun(["mknod", "-m", "666", join(bundle.rootfs, "device"), "c", "1", "3"]);
      if (options.image) writeFileSync(join(bundle.rootfs, "usr/sbin/ldconfig"), PROGRAMS.world());
      const { stdout, stderr } = runContainer(bundle, ["cat", "/etc/ld.so.cache"], jetson.place);
      expect(stderr).toBe("");
      return JSON.parse(stdout);
    } finally {
      bundle.remove();
    }
  }

  for (const way of WAYS) {
    describeWay(way);
  }

  function describeWay(way: (typeof WAYS)[number]): void {
    let jetson: Jetson;
    let world: World;
    beforeAll(async () => {
      const image = way.startsWith("the image's");
      jetson = await openWithLdconfig({
        program: image ? PROGRAMS.script() : PROGRAMS.world(),
        config: image ? ALLOWED : "",
      });
      const command = [build.path, "hook", "prestart"];
      const hook = hookEntry(way.endsWith("4.9") ? withoutCalls(old, command) : command);
      world = look(jetson, { image, hooks: { prestart: [hook] } });
    });
    afterAll(() => jetson?.close());

    it(`${way}: has no capability, and cannot gain one`, () => {
      const { capabilities, bounding, ambient, noNewPrivileges, makeDevice } = world;
      expect({ capabilities, bounding, ambient, noNewPrivileges }).toEqual({
        capabilities: 0,
        bounding: 0,
        ambient: 0,
        noNewPrivileges: 1,
      });
      expect(makeDevice).toBe(EPERM);
    });

    it(`${way}: runs as the container's root, without supplementary groups`, () => {
      expect([world.uids, world.gids, world.groups]).toEqual([[0, 0, 0], [0, 0, 0], 0]);
    });

    it(`${way}: inherits neither the hook's environment nor its descriptors`, () => {
      expect(world.variables).toBe(0);
      expect(world.openFds).toBe("0 1 2");
    });

    it(`${way}: sees the container's root and nothing above it`, () => {
      const { rootIsItsParent, aboveIsRoot, startsInRoot } = world;
      expect({ rootIsItsParent, aboveIsRoot, startsInRoot }).toEqual({
        rootIsItsParent: 1,
        aboveIsRoot: 1,
        startsInRoot: 1,
      });
      expect(world.root).toContain("volume");
      expect(world.root).not.toContain("opt work");
    });

    it(`${way}: sees no /proc, no /sys and no device`, () => {
      expect([world.proc, world.sys, world.dev]).toEqual(["", "", "ld.so.conf results"]);
      expect([world.writeProc, world.writeDev]).toEqual([EROFS, EROFS]);
    });

    it(`${way}: cannot open device nodes of the image or of a volume`, () => {
      const image = way.startsWith("the image's");
      expect([world.openImageDevice, world.openVolumeDevice]).toEqual([EACCES, image ? ENOENT : EACCES]);
    });

    it(`${way}: cannot write to the image or to volumes`, () => {
      const { writeRoot, writeTmp, writeVolume, writeAuxCache } = world;
      expect([writeRoot, writeTmp, writeVolume]).toEqual([EROFS, EROFS, EROFS]);
      expect(writeAuxCache).not.toBe(0);
      expect(world.changeSecret).not.toBe(0);
      expect(statSync(join(volume.path, "secret")).mode & 0o7777).toBe(0o600);
    });

    it(`${way}: ${way.startsWith("the image's") ? "does not see" : "sees"} volumes`, () => {
      expect(world.volume).toBe(way.startsWith("the image's") ? "" : "device secret");
    });

    it(`${way}: gets no memory outside its limits, makes no links and no 32-bit calls`, () => {
      const { memoryFile, sharedMemory, muchMemory, link, i386 } = world;
      expect({ memoryFile, sharedMemory, muchMemory, link }).toEqual({
        memoryFile: EPERM,
        sharedMemory: EPERM,
        muchMemory: ENOMEM,
        link: EPERM,
      });
      if (process.arch === "x64") expect(i386).toBe(EPERM);
    });

    it(`${way}: is alone in its process namespace`, () => {
      expect([world.pid, world.parent]).toEqual([1, 0]);
      expect(world.ptraceParent).not.toBe(0);
    });

    it(`${way}: cannot mount, unmount, or change its root, host name, user or limits`, () => {
      const { mount, unmount, unshare, chroot, sethostname, setuid, raiseLimit } = world;
      const refused = { mount, unmount, unshare, chroot, sethostname, setuid, raiseLimit };
      for (const [call, errno] of Object.entries(refused)) expect([call, errno]).toEqual([call, EPERM]);
    });

    it(`${way}: cannot start children, make namespaces or sockets, or call bpf(2)`, () => {
      const { fork, unshareUser, cloneUser, clone3, socket, bpf } = world;
      expect({ fork, unshareUser, cloneUser, clone3, socket, bpf }).toEqual({
        fork: EPERM,
        unshareUser: EPERM,
        cloneUser: EPERM,
        clone3: EPERM,
        socket: EPERM,
        bpf: EPERM,
      });
    });

    it(`${way}: cannot change its configuration or write ldconfig's auxiliary cache`, () => {
      expect(world.configurationFile).toBe("/dev/ld.so.conf");
      expect(world.configuration).toContain("/usr/lib/aarch64-linux-gnu/nvidia\n");
      expect(world.input).toBe(world.configuration);
      expect([world.writeConfiguration, world.removeConfiguration]).toEqual([EACCES, EROFS]);
      expect(world.writeAuxCache).not.toBe(0);
    });

    it(`${way}: runs under resource limits`, () => {
      const { limitCpu, limitData, limitMemory, limitFile, limitFiles, limitCore } = world;
      expect({ limitCpu, limitData, limitMemory, limitFile, limitFiles, limitCore }).toEqual({
        limitCpu: 3,
        limitData: 256 * 1024 ** 2,
        limitMemory: 16 * 1024 ** 3,
        limitFile: 16 * 1024 ** 2,
        limitFiles: 64,
        limitCore: 0,
      });
    });

    it(`${way}: is started ${way.startsWith("the image's") ? "by its path in the image" : "from memory through its descriptor"}`, () => {
      expect(world.program).toMatch(
        way.startsWith("the image's") ? /^\/sbin\/ldconfig$/ : /^\/dev\/fd\/\d+$/,
      );
    });
  }

  it("runs with the ids of a user namespace's root", async () => {
    const jetson = await openWithLdconfig({ program: PROGRAMS.world() });
    try {
      const world = look(jetson, { userNamespace: true, mounts: [] });
      const { uids, gids, capabilities, rootIsItsParent, proc } = world;
      expect({ uids, gids, capabilities, rootIsItsParent, proc }).toEqual({
        uids: [100_000, 100_000, 100_000],
        gids: [100_000, 100_000, 100_000],
        capabilities: 0,
        rootIsItsParent: 1,
        proc: "",
      });
    } finally {
      jetson.close();
    }
  });

  // Linux 4.9 has no call that restricts all mounts at once, so the hook finds each one by name.
  it("cannot open a device of a volume whose mount point is not UTF-8 on Linux 4.9", async () => {
    const jetson = await openWithLdconfig({ program: PROGRAMS.world() });
    const hook = hookEntry(withoutCalls(old, [build.path, "hook", "prestart"]));
    const mounts = [{ destination: "/volume", type: "bind", source: volume.path, options: ["rbind"] }];
    const bundle = askingBundle(build, { mounts, hooks: { prestart: [hook] } });
    try {
      // Node.js cannot pass such a name as a string.
      const name = Buffer.concat([Buffer.from(join(bundle.rootfs, "/")), Buffer.from([0xff, 0xfe])]);
      mkdirSync(name);
      symlinkSync(Buffer.from([0xff, 0xfe]), join(bundle.rootfs, "volume"));
      const { stdout, stderr } = runContainer(bundle, ["cat", "/etc/ld.so.cache"], jetson.place);
      expect(stderr).toBe("");
      const world = JSON.parse(stdout);
      expect(world.volume).toBe("device secret");
      expect([world.openVolumeDevice, world.writeVolume]).toEqual([EACCES, EROFS]);
    } finally {
      bundle.remove();
      jetson.close();
    }
  });

  it.each([
    ["in a user namespace", true, 101_000],
    ["without a user namespace", false, 1000],
  ] as const)("of the image runs with the ids of the container's process %s", async (_, userNamespace, id) => {
    const jetson = await openWithLdconfig({ program: PROGRAMS.script(), config: ALLOWED });
    const edit = (config: Record<string, unknown>) => {
      (config.process as Record<string, unknown>).user = { uid: 1000, gid: 1000 };
    };
    try {
      const options = userNamespace ? { userNamespace, mounts: [] } : {};
      const { uids, gids, readSecret, capabilities } = look(jetson, { image: true, edit, ...options });
      expect({ uids, gids, capabilities }).toEqual({
        uids: [id, id, id],
        gids: [id, id, id],
        capabilities: 0,
      });
      expect(readSecret).not.toBe(0);
    } finally {
      jetson.close();
    }
  });

  it("of the image joins the container's device cgroup before it runs", async () => {
    const jetson = await openWithLdconfig({ program: PROGRAMS.script(), config: ALLOWED });
    const log = join(jetson.host.directory, "cgroup");
    const strace = ["/usr/bin/strace", "-f", "-qq", "-y", "-o", log, "-e", "trace=write,execve"];
    const hook = hookEntry([...strace, build.path, "hook", "prestart"]);
    try {
      look(jetson, { image: true, hooks: { prestart: [hook] } });
      const calls = readFileSync(log, "utf8");
      const joined = /write\(\d+<([^>]*)\/cgroup\.procs>, "0", 1\) += 1/.exec(calls);
      expect(joined?.[1]).toMatch(/nvoci-test/);
      expect(calls.indexOf(joined?.[0] ?? "none")).toBeLessThan(calls.indexOf('"/sbin/ldconfig"'));
    } finally {
      jetson.close();
    }
  });

  it("leaves no mount behind in the container or on the host", async () => {
    const jetson = await openWithLdconfig({ program: PROGRAMS.world() });
    const bundle = askingBundle(build);
    try {
      const before = snapshotMounts(jetson.place.pid);
      const { stdout } = runContainer(bundle, ["cat", "/proc/self/mounts"], jetson.place);
      expect(stdout.split("\n").filter((line) => / \/(?:var\/cache|sys) /.test(line))).toEqual([]);
      expect(stdout.split("\n").filter((line) => line.includes(" /dev "))).toHaveLength(1);
      expect(snapshotMounts(jetson.place.pid)).toEqual(before);
    } finally {
      bundle.remove();
      jetson.close();
    }
  });
});

describeBuilds([...CONTAINER, "gcc", "strace"], "the host's ldconfig", (build) => {
  const hook = [build.path, "hook", "prestart"];
  /** A kernel before 5.12. */
  const withoutMounts = withoutCalls(["open_tree", "mount_setattr", "move_mount"], hook);
  let jetson: Jetson;
  const open = async (options: OtherLdconfig) => {
    jetson = await openWithLdconfig(options);
  };
  afterEach(() => jetson.close());

  /** Runs a container with a traced hook. Returns the calls. */
  function trace(command: readonly string[]): string {
    const log = join(jetson.host.directory, "strace");
    const names = "trace=open_tree,mount_setattr,memfd_create,fcntl,execveat";
    const strace = ["/usr/bin/strace", "-f", "-qq", "-o", log, "-e", names];
    const bundle = askingBundle(build, { hooks: { prestart: [hookEntry([...strace, ...command])] } });
    try {
      expect(runContainer(bundle, ["true"], jetson.place).status).toBe(0);
      return readFileSync(log, "utf8").replace(/^\d+ +/gm, "");
    } finally {
      bundle.remove();
    }
  }

  it("is on a read-only mount of its own before it runs", async () => {
    await open({ program: PROGRAMS.world() });
    const calls = trace(hook);
    const [, fd] =
      /open_tree\(AT_FDCWD, "\/opt\/nvoci\/ldconfig", OPEN_TREE_CLONE[^)]*\) = (\d+)/.exec(calls) ?? [];
    expect(fd).toBeDefined();
    const restricted = calls.search(new RegExp(`mount_setattr\\(${fd}, "".*MOUNT_ATTR_RDONLY.* = 0`));
    expect(restricted).toBeGreaterThan(0);
    expect(calls.indexOf(`execveat(${fd}, "", ["ldconfig"`)).toBeGreaterThan(restricted);
  });

  it("is copied and sealed before it runs, on a kernel before 5.12", async () => {
    await open({ program: PROGRAMS.world() });
    const calls = trace(withoutMounts);
    const [, fd] =
      /memfd_create\("ldconfig", MFD_CLOEXEC\|MFD_ALLOW_SEALING[^)]*\) = (\d+)/.exec(calls) ?? [];
    const seals = "F_SEAL_SEAL|F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_WRITE";
    const sealed = calls.indexOf(`fcntl(${fd}, F_ADD_SEALS, ${seals}) = 0`);
    expect(fd).toBeDefined();
    expect(sealed).toBeGreaterThan(0);
    expect(calls.indexOf(`execveat(${fd}, "", ["ldconfig"`)).toBeGreaterThan(sealed);
  });

  // Node.js makes such calls of its own.
  if (build.name === "native") {
    it("does not run if its copy cannot be sealed; the old cache stays, and the container starts", async () => {
      const log = "/var/log/nvoci.log";
      await open({ program: PROGRAMS.world(), config: `debug = "${log}"\n` });
      const fault = { call: "fcntl", when: 1, error: "EBUSY" };
      const command = withFault(fault, withoutMounts, join(jetson.host.directory, "fault"));
      const bundle = askingBundle(build, { hooks: { prestart: [hookEntry(command)] } });
      try {
        const cache = readFileSync(join(bundle.rootfs, "etc/ld.so.cache"));
        expect(runContainer(bundle, ["true"], jetson.place)).toEqual({ status: 0, stdout: "", stderr: "" });
        expect(readFileSync(join(bundle.rootfs, "etc/ld.so.cache"))).toEqual(cache);
        expect(readFileSync(join(jetson.host.directory, "fault"), "utf8")).toContain("(INJECTED)");
        expect(jetson.place.run(["cat", log]).stdout).toMatch(/fcntl\(.*F_ADD_SEALS.* = -1 EBUSY/);
      } finally {
        bundle.remove();
      }
    });
  }

  it.each([
    ["on this kernel", hook],
    ["on a kernel before 5.12", withoutMounts],
  ])("cannot be changed through /proc/PID/exe, not even after its end, %s", async (_, command) => {
    await open({ program: PROGRAMS.hangs() });
    const before = jetson.place.run(["sha256sum", OTHER_LDCONFIG]).stdout;
    const bundle = askingBundle(build);
    const container = await openBareContainer(bundle, jetson.place);
    // A process that sees the program opens it while it runs, and writes after its end.
    const attack = `
      exec 4<&0
      "$@" <&4 & hook=$!
      while :; do
        kill -0 $hook || exit 9
        read -r child rest </proc/$hook/task/$hook/children
        case $(tr '\\0' ' ' </proc/$child/cmdline) in ldconfig*) break ;; esac
      done 2>/dev/null
      exec 3</proc/$child/exe
      kill -9 $child
      wait $hook || exit 8
      echo changed >/proc/self/fd/3`;
    try {
      const { status, stderr } = container.runHook(["sh", "-c", attack, "sh", ...command]);
      expect(stderr).toMatch(/Read-only file system|Operation not permitted/);
      expect(status).toBeLessThan(8);
      expect(status).not.toBe(0);
      expect(jetson.place.run(["sha256sum", OTHER_LDCONFIG]).stdout).toBe(before);
    } finally {
      container.close();
      bundle.remove();
    }
  });
});
