import { spawn } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../build/root.ts";
import type { Bundle } from "../../fixtures/bundle.ts";
import {
  DRIVER_LIBRARIES,
  DRIVER_VERSION,
  FAKE_GPUS,
  type FakeServer,
  type FakeServerOptions,
} from "../../fixtures/host/fake-server.ts";
import { deviceEntry, fileEntry, type TreeEntry } from "../../fixtures/host/tree-entry.ts";
import { compileC } from "../../fixtures/run/compile-c.ts";
import { runContainer, scriptLines } from "../../fixtures/run/container.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { nvociHook } from "../support/build/builds.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { serversOfEachTest } from "../support/engines/servers-of-each-test.ts";
import { mountOptions } from "../support/kernel/mount-options.ts";

const NO_DRIVER = "No such device or address";
const [FIRST, SECOND] = FAKE_GPUS;
const SOCKET = "/run/nvidia-persistenced/socket";

describeBuilds([...CONTAINER, "gcc"], "a server's devices and services", (build) => {
  const { closing, open, ask } = serversOfEachTest(build);
  const run = (server: FakeServer, bundle: Bundle, ...command: string[]) =>
    runContainer(bundle, command, server.place);
  const lines = (server: FakeServer, bundle: Bundle, script: string): string[] =>
    scriptLines(bundle, script, server.place);

  /** Starts a service of the host that sends a word to each client. */
  async function serve(server: FakeServer, socket: string): Promise<void> {
    const script = [
      `const server = require("node:net").createServer((client) => client.end("hello"));`,
      `server.listen("${socket}", () => { require("node:fs").chmodSync("${socket}", 0o666); console.log("up"); });`,
    ].join("\n");
    const service = spawn(
      "nsenter",
      [`--mount=/proc/${server.place.pid}/ns/mnt`, "--", process.execPath, "-e", script],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    closing.push(() => service.kill("SIGKILL"));
    await new Promise<void>((resolve, reject) => {
      service.stdout.once("data", () => resolve());
      service.once("close", () => reject(new Error(`Cannot listen on "${socket}"`)));
    });
  }

  describe("sockets", () => {
    const client = (bundle: Bundle): void =>
      copyFileSync(
        compileC(join(root, "test/support/engines/socket-client.c")),
        join(bundle.rootfs, "bin/socket-client"),
      );

    // This makes the fake host have its own /run.
    const more: TreeEntry[] = [{ kind: "directory", path: dirname(SOCKET) }];

    it.each([false, true])("can be connected to (user namespace: %s)", async (userNamespace) => {
      const server = await open({ more });
      await serve(server, SOCKET);
      const bundle = ask({ userNamespace });
      client(bundle);
      expect(run(server, bundle, "socket-client", SOCKET)).toEqual({
        status: 0,
        stdout: "hello",
        stderr: "",
      });
      const options = mountOptions(run(server, bundle, "cat", "/proc/self/mountinfo").stdout).get(SOCKET);
      expect(options).toEqual(expect.arrayContaining(["rw", "nosuid", "nodev", "noexec"]));
    });

    it("are injected only with the utility capability", async () => {
      const server = await open({ more });
      await serve(server, SOCKET);
      expect(run(server, ask({ driverCapabilities: "compute" }), "ls", SOCKET).status).not.toBe(0);
    });

    it("are not injected if another kind of file is in their place", async () => {
      const server = await open({ more: [fileEntry(SOCKET, "no socket")] });
      expect(lines(server, ask(), `ls ${SOCKET}; use-cuda`).at(-1)).toBe("535");
      expect(run(server, ask(), "ls", SOCKET).status).not.toBe(0);
    });
  });

  describe("the directory of MPS", () => {
    const ROOT = "/opt/driver";
    const config = `[nvidia-container-cli]\nroot = "${ROOT}"\n`;

    it("is writable, and shared with the host", async () => {
      const made = `mkdir -p ${ROOT}/tmp/nvidia-mps; chmod 1777 ${ROOT}/tmp/nvidia-mps`;
      const server = await open({ root: ROOT, config, setup: [made] });
      expect(lines(server, ask(), "echo from-container > /tmp/nvidia-mps/x; cat /tmp/nvidia-mps/x")).toEqual([
        "from-container",
      ]);
      expect(server.place.run(["cat", `${ROOT}/tmp/nvidia-mps/x`]).stdout).toBe("from-container\n");
    });

    it("is where config.toml says, whatever the hook's and the image's environment say", async () => {
      const secret = temporaryDirectory("secret");
      closing.push(() => secret.remove());
      const environment = '["CUDA_MPS_PIPE_DIRECTORY=/run/mps"]';
      const server = await open({
        root: ROOT,
        config: `${config}environment = ${environment}\n`,
        setup: [`mkdir -p ${ROOT}/run/mps ${ROOT}/tmp/nvidia-mps ${ROOT}${secret.path}`],
      });
      const variable = `CUDA_MPS_PIPE_DIRECTORY=${secret.path}`;
      const { path, args } = nvociHook(build);
      const bundle = ask({ env: [variable], hooks: { prestart: [{ path, args, env: [variable] }] } });
      expect(lines(server, bundle, "ls -d /run/mps; ls /tmp")).toEqual(["/run/mps"]);
    });

    it("is not injected if it is a link, which any user could have made", async () => {
      const secret = temporaryDirectory("secret");
      closing.push(() => secret.remove());
      writeFileSync(join(secret.path, "key"), "secret");
      const made = `mkdir -p ${ROOT}/tmp; ln -s ${secret.path} ${ROOT}/tmp/nvidia-mps`;
      const server = await open({ root: ROOT, config, setup: [made] });
      expect(lines(server, ask(), "use-cuda; ls /tmp").join()).not.toContain("nvidia-mps");
    });
  });

  describe("nodes for screens", () => {
    const drm = (bus: string, ...names: string[]): string =>
      `mkdir -p ${names.map((name) => `/sys/bus/pci/devices/${bus}/drm/${name}`).join(" ")}`;
    const options: FakeServerOptions = {
      more: [
        deviceEntry("/dev/dri/card1", 226, 1),
        deviceEntry("/dev/dri/renderD129", 226, 129),
        deviceEntry("/dev/dri/card2", 226, 2),
        deviceEntry("/dev/dri/renderD130", 226, 130),
      ],
      setup: [
        "mount -t tmpfs tmpfs /sys/bus/pci/devices",
        drm(FIRST.busId, "card1", "renderD129", "controlD65"),
        drm(SECOND.busId, "card2", "renderD130"),
      ],
    };

    it("are those of the chosen GPU, with their names in by-path", async () => {
      const server = await open(options);
      const said = lines(
        server,
        ask({ visible: "0" }),
        "ls /dev/dri; cd /dev/dri/by-path; for i in *; do echo $i $(readlink $i); done",
      );
      expect(said).toEqual([
        "by-path",
        "card1",
        "renderD129",
        `pci-${FIRST.busId}-card ../card1`,
        `pci-${FIRST.busId}-render ../renderD129`,
      ]);
    });

    it("are injected only with the graphics capability", async () => {
      const said = run(await open(options), ask({ driverCapabilities: "compute,utility" }), "ls", "/dev/dri");
      expect(said.status).not.toBe(0);
    });
  });

  describe("GPU instances", () => {
    const CAPABILITIES = "/proc/driver/nvidia/capabilities";
    const minorFile = (path: string, minor: number): TreeEntry =>
      fileEntry(
        `${CAPABILITIES}/${path}`,
        `DeviceFileMinor: ${minor}\nDeviceFileMode: 292\nDeviceFileModify: 1\n`,
      );
    const gpu = `gpu${FIRST.minor}/mig`;
    const options: FakeServerOptions = {
      more: [
        minorFile("mig/config", 1),
        minorFile("mig/monitor", 2),
        minorFile(`${gpu}/gi1/access`, 12),
        minorFile(`${gpu}/gi1/ci0/access`, 13),
        minorFile(`${gpu}/gi2/access`, 21),
        minorFile(`${gpu}/gi2/ci0/access`, 22),
        ...[1, 2, 12, 13, 21, 22].map((minor) =>
          deviceEntry(`/dev/nvidia-caps/nvidia-cap${minor}`, 508, minor),
        ),
      ],
    };

    it("are injected alone: the nodes and files of the chosen one, and its GPU", async () => {
      const server = await open(options);
      const script = `ls /dev/nvidia-caps; find ${CAPABILITIES} -type f | sort; cat /dev/nvidia-caps/*; ls /proc/driver/nvidia/gpus`;
      const said = lines(server, ask({ visible: "0:1" }), script);
      expect(said.slice(0, 4)).toEqual([
        "nvidia-cap21",
        "nvidia-cap22",
        `${CAPABILITIES}/${gpu}/gi2/access`,
        `${CAPABILITIES}/${gpu}/gi2/ci0/access`,
      ]);
      expect(said.slice(4, 6)).toEqual([
        expect.stringContaining(NO_DRIVER),
        expect.stringContaining(NO_DRIVER),
      ]);
      expect(said.slice(6)).toEqual([FIRST.busId]);
    });

    it("are all injected with their GPU", async () => {
      const said = lines(await open(options), ask({ visible: "0" }), "ls /dev/nvidia-caps");
      expect(said).toEqual(["nvidia-cap12", "nvidia-cap13", "nvidia-cap21", "nvidia-cap22"]);
    });

    it("stop a container that requests one that does not exist", async () => {
      const { status, stdout, stderr } = run(await open(options), ask({ visible: "0:7" }), "echo", "started");
      expect([status === 0, stdout]).toEqual([false, ""]);
      expect(stderr).toContain("nvoci: Cannot find GPU");
    });
  });

  // Only the linker of x64 makes objects of the other width without further packages.
  describe.runIf(process.arch === "x64")("32-bit libraries", () => {
    const WIDE = `${DRIVER_LIBRARIES}/libcuda.so.1`;
    const NARROW = "/usr/lib/i386-linux-gnu";

    function narrowCuda(): Uint8Array {
      const made = temporaryDirectory("narrow");
      closing.push(() => made.remove());
      const path = join(made.path, "libcuda.so");
      mustRun([
        "gcc",
        "-m32",
        "-shared",
        "-nostdlib",
        "-Wl,-soname,libcuda.so.1",
        "-o",
        path,
        "-x",
        "c",
        "/dev/null",
      ]);
      return new Uint8Array(readFileSync(path));
    }
    const openNarrow = (): Promise<FakeServer> =>
      open({
        more: [
          fileEntry(`${NARROW}/libcuda.so.${DRIVER_VERSION}`, narrowCuda()),
          fileEntry("/etc/ld.so.conf.d/i386-test.conf", `${NARROW}\n`),
        ],
      });

    it("are injected with compat32, next to the others", async () => {
      const server = await openNarrow();
      expect(server.place.run(["ldconfig", "-p"]).stdout).toContain(`=> ${NARROW}/libcuda.so.1`);
      const said = lines(
        server,
        ask({ driverCapabilities: "compute,compat32" }),
        `ls ${NARROW}; readlink ${WIDE}; use-cuda; ldconfig -p | grep libcuda.so.1`,
      );
      expect(said.slice(0, 5)).toEqual([
        "libcuda.so",
        "libcuda.so.1",
        `libcuda.so.${DRIVER_VERSION}`,
        `libcuda.so.${DRIVER_VERSION}`,
        "535",
      ]);
      expect(said.slice(5).join("\n")).toContain(`=> ${NARROW}/libcuda.so.1`);
    });

    it("are not injected without compat32", async () => {
      const said = lines(
        await openNarrow(),
        ask({ driverCapabilities: "compute" }),
        `ls ${NARROW}; use-cuda`,
      );
      expect(said[0]).toContain("No such file");
      expect(said.at(-1)).toBe("535");
    });
  });

  it("leave a GPU that config.json already has to the runtime", async () => {
    const server = await open();
    const bundle = ask({
      visible: "0",
      devices: [{ path: "/dev/nvidia1", type: "c", major: 195, minor: 1 }],
    });
    expect(lines(server, bundle, "cat /dev/nvidia1")).toEqual([expect.stringContaining(NO_DRIVER)]);
    const mounts = mountOptions(run(server, bundle, "cat", "/proc/self/mountinfo").stdout);
    expect(mounts.has("/dev/nvidiactl")).toBe(true);
    expect(mounts.has("/dev/nvidia1")).toBe(false);
  });

  it("include a GPU's missing node, which is made on the host", async () => {
    const server = await open({ setup: ["rm /dev/nvidia1"] });
    expect(lines(server, ask({ visible: "0" }), "cat /dev/nvidia1")).toEqual([
      expect.stringContaining(NO_DRIVER),
    ]);
    expect(server.place.run(["stat", "-c", "%t:%T %a", "/dev/nvidia1"]).stdout).toBe("c3:1 666\n");
  });

  it("stop a container if a GPU's node is missing and must not be made", async () => {
    const config = "[nvidia-container-cli]\nload-kmods = false\n";
    const server = await open({ config, setup: ["rm /dev/nvidia1"] });
    const { status, stderr } = run(server, ask({ visible: "0" }), "true");
    expect(status).not.toBe(0);
    expect(stderr).toContain('nvoci: Cannot give GPU \\"0\\"');
    expect(stderr).toContain("/dev/nvidia1");
    expect(run(server, ask({ visible: "1" }), "true").status).toBe(0);
  });
});
