import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Bundle } from "../../fixtures/bundle.ts";
import {
  DRIVER_LIBRARIES,
  DRIVER_SONAMES,
  DRIVER_VERSION,
  FAKE_GPUS,
  type FakeServer,
  openServer,
} from "../../fixtures/host/fake-server.ts";
import { createContainer, runContainer, scriptLines } from "../../fixtures/run/container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { type ServerBundleOptions, serverBundle } from "../support/engines/server-bundle.ts";
import { mountOptions } from "../support/kernel/mount-options.ts";

const NO_DRIVER = "No such device or address";
const REFUSED = "Operation not permitted";
const CUDA = `${DRIVER_LIBRARIES}/libcuda.so.${DRIVER_VERSION}`;

/** File and SONAME of each library. Those of VDPAU are moved out of their directory. */
const LIBRARIES = Object.entries(DRIVER_SONAMES).map(([stem, soname]) => ({
  host: `${DRIVER_LIBRARIES}/${stem}.${DRIVER_VERSION}`,
  path: `${DRIVER_LIBRARIES}/${stem.replace("vdpau/", "")}.${DRIVER_VERSION}`,
  soname: soname.replace("*", DRIVER_VERSION),
}));

const FILES = [
  "/usr/bin/nvidia-smi",
  "/usr/bin/nvidia-cuda-mps-control",
  `/usr/lib/firmware/nvidia/${DRIVER_VERSION}/gsp_tu10x.bin`,
  "/etc/OpenCL/vendors/nvidia.icd",
  "/usr/share/vulkan/icd.d/nvidia_icd.json",
];

describeBuilds([...CONTAINER, "cgroup v2", "gcc"], "a container on a server", (build) => {
  describe.each(["host", "v2"] as const)("with %s cgroups", (cgroup) => {
    let server: FakeServer;
    const bundles: Bundle[] = [];
    const ask = (options?: ServerBundleOptions): Bundle => {
      const bundle = serverBundle(build, options);
      bundles.push(bundle);
      return bundle;
    };
    const run = (bundle: Bundle, ...command: string[]) => runContainer(bundle, command, server.place);
    const lines = (bundle: Bundle, script: string): string[] => scriptLines(bundle, script, server.place);

    beforeAll(async () => {
      server = await openServer({ cgroup });
    });
    afterEach(() => {
      for (const bundle of bundles.splice(0)) bundle.remove();
    });
    afterAll(() => server?.close());

    it("has every file of the driver with the host's content", () => {
      const sums = (paths: readonly string[]): string[] => {
        const { stdout, status } = server.place.run(["sha256sum", ...paths]);
        expect(status).toBe(0);
        return stdout
          .trimEnd()
          .split("\n")
          .map((line) => line.split(" ")[0] ?? "");
      };
      const paths = [...LIBRARIES.map(({ path }) => path), ...FILES];
      const inside = lines(ask(), `sha256sum ${paths.join(" ")}`).map((line) => line.split(" ")[0]);
      expect(inside).toEqual(sums([...LIBRARIES.map(({ host }) => host), ...FILES]));
    });

    it("cannot write to the driver's files or run them set-uid, and gets no program that changes the host", () => {
      const bundle = ask();
      const mounts = mountOptions(run(bundle, "cat", "/proc/self/mountinfo").stdout);
      for (const path of [...LIBRARIES.map((library) => library.path), ...FILES]) {
        expect(mounts.get(path), path).toEqual(expect.arrayContaining(["ro", "nosuid", "nodev"]));
        expect(mounts.get(path), path).not.toContain("noexec");
      }
      expect(run(bundle, "nvidia-smi")).toEqual({ status: 0, stdout: "smi\n", stderr: "" });
      expect(lines(bundle, `echo x > ${CUDA}`).join()).toContain("Read-only file system");
      expect(run(bundle, "ls", "/usr/bin/nvidia-modprobe").status).not.toBe(0);
    });

    it("has the links through which programs load the libraries", () => {
      const links = new Map(LIBRARIES.map(({ path, soname }) => [`${DRIVER_LIBRARIES}/${soname}`, path]));
      for (const [link, path] of links) if (link === path) links.delete(link);
      links.set(`${DRIVER_LIBRARIES}/libcuda.so`, CUDA);
      links.set(
        `${DRIVER_LIBRARIES}/libGLX_indirect.so.0`,
        `${DRIVER_LIBRARIES}/libGLX_nvidia.so.${DRIVER_VERSION}`,
      );
      links.set(
        `${DRIVER_LIBRARIES}/vdpau/libvdpau_nvidia.so.1`,
        `${DRIVER_LIBRARIES}/libvdpau_nvidia.so.${DRIVER_VERSION}`,
      );
      const targets = lines(ask(), `for link in ${[...links.keys()].join(" ")}; do readlink -f $link; done`);
      expect(targets).toEqual([...links.values()]);
    });

    it("lists the libraries in its linker's cache and runs a program that is linked against libcuda.so.1", () => {
      const { stdout } = run(ask(), "ldconfig", "-p");
      for (const { soname } of LIBRARIES) expect(stdout).toContain(`\t${soname} (`);
      expect(run(ask(), "use-cuda")).toEqual({ status: 0, stdout: "535\n", stderr: "" });
      const without = run(ask({ hooks: {} }), "use-cuda");
      expect(without.stderr).toContain("libcuda.so.1");
    });

    it("opens every node of the driver, with the host's numbers and modes", () => {
      const describeNodes = ["/bin/busybox", "stat", "-c", "%n %t:%T %a %u:%g", ...server.devices];
      const onHost = server.place.run(describeNodes);
      expect(onHost.status).toBe(0);
      expect(run(ask(), ...describeNodes)).toEqual(onHost);
      const said = lines(ask(), `for node in ${server.devices.join(" ")}; do cat $node; done`);
      expect(said).toHaveLength(server.devices.length);
      for (const line of said) expect(line).toContain(NO_DRIVER);
    });

    it.each([
      ["an index", "0"],
      ["a UUID", FAKE_GPUS[0].uuid],
      ["a prefix of a UUID", "GPU-8f3c"],
      ["a PCI address", "0000:17:00.0"],
      ["a PCI address as nvidia-smi writes it", "00000000:17:00.0"],
      ["the same GPU twice", `0,${FAKE_GPUS[0].uuid}`],
    ])("gets one GPU by %s, and can neither open nor see the other", (_, visible) => {
      // The first GPU on the bus has minor 1.
      const open = "for node in /dev/nvidia1 /dev/other; do cat $node; done";
      const said = lines(
        ask({ visible }),
        `mknod /dev/other c 195 0; ls /dev /proc/driver/nvidia/gpus; ${open}`,
      );
      expect(said.splice(-2)).toEqual([expect.stringContaining(NO_DRIVER), expect.stringContaining(REFUSED)]);
      expect(said).toContain("nvidia1");
      expect(said).not.toContain("nvidia0");
      expect(said).toContain("0000:17:00.0");
      expect(said).not.toContain("0000:65:00.0");
    });

    it("sees the kernel module's parameters with the making of nodes disabled", () => {
      const [params, version, listed, written] = [
        "cat /proc/driver/nvidia/params",
        "cat /proc/driver/nvidia/version",
        "ls /proc/driver/nvidia",
        "touch /proc/driver/nvidia/x",
      ].map((script) => lines(ask(), script));
      expect(params).toContain("ModifyDeviceFiles: 0");
      expect(params).toContain("DeviceFileMode: 438");
      expect(version?.[0]).toContain(DRIVER_VERSION);
      expect(listed).toEqual(["gpus", "params", "registry", "version"]);
      expect(written?.[0]).toContain("Read-only file system");
    });

    it("has the driver but no GPU for the request none", () => {
      const bundle = ask({ visible: "none" });
      const said = lines(bundle, "ls /dev; ls /proc/driver/nvidia/gpus; use-cuda; cat /dev/nvidiactl");
      expect(said).toContain("nvidiactl");
      expect(said.filter((line) => /^nvidia\d|^0000:/.test(line))).toEqual([]);
      expect(said.slice(-2)).toEqual(["535", expect.stringContaining(NO_DRIVER)]);
    });

    it("lets processes that join later open its devices", () => {
      const container = createContainer(ask(), undefined, server.place);
      try {
        container.start();
        expect(container.exec(["cat", "/dev/nvidia0"]).stderr).toContain(NO_DRIVER);
      } finally {
        container.delete();
      }
    });

    it.each([
      "7",
      "GPU-dead",
      "0000:99:00.0",
      "0,nonsense",
    ])("does not start if it requests the unknown GPU %s", (visible) => {
      const { status, stdout, stderr } = run(ask({ visible }), "echo", "started");
      expect(status).not.toBe(0);
      expect(stdout).toBe("");
      expect(stderr).toContain(`nvoci: Cannot find GPU \\"${visible.split(",").pop()}\\"`);
    });

    it("gets only the devices and libraries of its driver capabilities", () => {
      const bundle = ask({ driverCapabilities: "utility" });
      const said = lines(bundle, `ls /dev ${DRIVER_LIBRARIES} /usr/bin`);
      expect(said).toContain(`libnvidia-ml.so.${DRIVER_VERSION}`);
      expect(said).toContain("nvidia-smi");
      for (const other of [
        `libcuda.so.${DRIVER_VERSION}`,
        "nvidia-uvm",
        "nvidia-modeset",
        "nvidia-cuda-mps-control",
      ]) {
        expect(said).not.toContain(other);
      }
    });
  });
});
