import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Bundle } from "../../fixtures/bundle.ts";
import {
  DRIVER_LIBRARIES,
  DRIVER_VERSION,
  type FakeServer,
  type FakeServerOptions,
  openServer,
} from "../../fixtures/host/fake-server.ts";
import { runContainer, scriptLines } from "../../fixtures/run/container.ts";
import { hookEntry } from "../support/build/builds.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { type ServerBundleOptions, serverBundle } from "../support/engines/server-bundle.ts";
import { MISSING_BEFORE, withoutCalls } from "../support/kernel/enosys.ts";
import { mountOptions } from "../support/kernel/mount-options.ts";

const NO_DRIVER = "No such device or address";
const REFUSED = "Operation not permitted";
const CUDA = `${DRIVER_LIBRARIES}/libcuda.so.${DRIVER_VERSION}`;
const FIRMWARE = `/usr/lib/firmware/nvidia/${DRIVER_VERSION}/gsp_tu10x.bin`;
const PROFILE = "/etc/nvidia/nvidia-application-profiles-rc.d/10-container.conf";

/** Returns shell lines that bind a directory of the host to itself with stricter mount flags. */
const restrict = (directory: string, options: string): string[] => [
  `mount --bind ${directory} ${directory}`,
  `mount -o remount,bind,${options} ${directory}`,
];

/** Hosts, one of them with the driver on mounts whose flags a user namespace locks. */
const HOSTS: readonly (readonly [name: string, options: FakeServerOptions])[] = [
  ["cgroup v1", {}],
  ["cgroup v2", { cgroup: "v2" }],
  [
    "locked mount flags",
    {
      setup: [
        ...restrict("/usr/lib/firmware", "ro,nosuid,nodev,noexec,noatime"),
        ...restrict(DRIVER_LIBRARIES, "ro,nosuid,nodev,nodiratime"),
        "mount -o remount,bind,nosuid,noexec,relatime /dev",
      ],
    },
  ],
];

const KERNELS: readonly (readonly [name: string, missing: readonly string[]])[] = [
  ["this kernel", []],
  ...Object.entries(MISSING_BEFORE).map(([version, names]) => [`a kernel before ${version}`, names] as const),
];

describeBuilds([...CONTAINER, "cgroup v2", "gcc"], "a container in a user namespace", (build) => {
  describe.each(HOSTS)("on a host with %s", (_, options) => {
    let server: FakeServer;
    const bundles: Bundle[] = [];
    const ask = (more: ServerBundleOptions = {}): Bundle => {
      const bundle = serverBundle(build, { userNamespace: true, ...more });
      bundles.push(bundle);
      return bundle;
    };
    const run = (bundle: Bundle, ...command: string[]) => runContainer(bundle, command, server.place);
    const lines = (bundle: Bundle, script: string): string[] => scriptLines(bundle, script, server.place);

    beforeAll(async () => {
      server = await openServer(options);
    });
    afterEach(() => {
      for (const bundle of bundles.splice(0)) bundle.remove();
    });
    afterAll(() => server?.close());

    describe.each(KERNELS)("and %s", (_, missing) => {
      const hooks = {
        prestart: [hookEntry(withoutCalls(missing, [build.path, "hook", "prestart"]))],
      };

      it("runs a program that is linked against libcuda.so.1, which its cache lists", () => {
        expect(lines(ask({ hooks }), "use-cuda")).toEqual(["535"]);
        expect(run(ask({ hooks }), "ldconfig", "-p").stdout).toContain("\tlibnvcuvid.so.1 (");
      });

      it("can open its GPU's node and no other", () => {
        const said = lines(ask({ hooks, visible: "0" }), "cat /dev/nvidia1; cat /dev/nvidiactl; ls /dev");
        expect(said.slice(0, 2)).toEqual([
          expect.stringContaining(NO_DRIVER),
          expect.stringContaining(NO_DRIVER),
        ]);
        expect(said).not.toContain("nvidia0");
      });

      it("sees its GPU and masked parameters in /proc", () => {
        const script = "cat /proc/driver/nvidia/params; ls /proc/driver/nvidia/gpus";
        const said = lines(ask({ hooks, visible: "0" }), script);
        expect(said).toContain("ModifyDeviceFiles: 0");
        expect(said).toContain("0000:17:00.0");
        expect(said).not.toContain("0000:65:00.0");
      });

      it("can neither write to the host's files nor remount them writable", () => {
        const bundle = ask({ hooks });
        const mounts = mountOptions(run(bundle, "cat", "/proc/self/mountinfo").stdout);
        for (const path of [CUDA, FIRMWARE, "/usr/bin/nvidia-smi"]) {
          expect(mounts.get(path), path).toEqual(expect.arrayContaining(["ro", "nosuid", "nodev"]));
        }
        const script = `echo x > ${CUDA}; mount -o remount,bind,rw ${CUDA} && echo lifted; cat ${FIRMWARE}`;
        const said = lines(bundle, script);
        expect(said[0]).toContain("Read-only file system");
        expect(said).not.toContain("lifted");
        expect(said.at(-1)).toBe(DRIVER_VERSION);
      });

      it("owns the files that the hook makes in it", () => {
        const paths = [
          "/etc/ld.so.cache",
          `${DRIVER_LIBRARIES}/libcuda.so.1`,
          `${DRIVER_LIBRARIES}/vdpau`,
          "/usr/lib/firmware/nvidia",
          "/proc/driver/nvidia/params",
          PROFILE,
        ];
        const said = lines(ask({ hooks }), `stat -c %u:%g ${paths.join(" ")}`);
        expect(said).toEqual(paths.map(() => "0:0"));
      });
    });

    it("sees nobody as the owner of the host's device nodes, and can open them", () => {
      expect(lines(ask(), "stat -c '%u %a' /dev/nvidiactl; cat /dev/nvidiactl")).toEqual([
        "65534 666",
        expect.stringContaining(NO_DRIVER),
      ]);
    });

    // With this capability a container may remount everything in it, including the runtime's own read-only mounts.
    it("cannot write to the host's files even with CAP_SYS_ADMIN, because it does not map their owner", () => {
      const bundle = ask({ capabilities: ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"] });
      const script = `mount -o remount,bind,rw ${CUDA}; echo x > ${CUDA} && echo written; chmod 777 ${CUDA} && echo changed; use-cuda`;
      const said = lines(bundle, script);
      expect(said).not.toContain("written");
      expect(said).not.toContain("changed");
      expect(said.at(-1)).toBe("535");
    });

    it("cannot open a host's device through a node that it makes", () => {
      const [made, opened] = lines(ask({ visible: "0" }), "mknod /dev/other c 195 0; cat /dev/other");
      expect(made).toContain(REFUSED);
      expect(opened).not.toContain(NO_DRIVER);
    });

    it("has the driver on a read-only root that has the placeholders", () => {
      const bundle = ask();
      expect(lines(bundle, "use-cuda")).toEqual(["535"]);
      const root = bundle.config.root as Record<string, unknown>;
      root.readonly = true;
      expect(lines(bundle, "use-cuda; cat /dev/nvidiactl")).toEqual([
        "535",
        expect.stringContaining(NO_DRIVER),
      ]);
    });
  });
});
