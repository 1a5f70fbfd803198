import { describe, expect, it } from "vitest";
import { type Config, DEFAULT_CONFIG } from "../../../src/config/config.ts";
import { prepareHost } from "../../../src/host-setup/prepare-host.ts";
import { prepareServer, type WantedDriver } from "../../../src/host-setup/prepare-server.ts";
import type { Finding } from "../../../src/model/finding.ts";
import { hostPath } from "../../../src/model/paths.ts";
import type { HostView } from "../../../src/model/views.ts";
import type { Request } from "../../../src/request/request.ts";
import type { Syscalls } from "../../../src/sys/syscalls.ts";
import { encodeUtf8 } from "../../../src/text/utf8.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";
import { ALL_LINKS, ALL_NODES, BARE_SERVER } from "../../support/host/bare-server.ts";
import { memoryHost } from "../../support/host/memory-host.ts";
import { fakeSyscalls } from "../../support/kernel/fake-syscalls.ts";

const COMPUTE: WantedDriver = {
  driverCapabilities: ["compute", "utility"],
  imexChannels: [],
  mayCreateImexChannels: true,
};
const READY = [...BARE_SERVER, ...ALL_NODES, ...ALL_LINKS];
/** A kernel without calls: any call fails the test. */
const NO_KERNEL = fakeSyscalls({});

/** Returns the findings of preparing a server. */
const prepare = (
  system: Syscalls,
  host: HostView,
  config: Config,
  wanted: WantedDriver,
): readonly Finding[] =>
  collectFindings((report) => prepareServer(system, host, config, wanted, report)).findings;

const configured = (
  changes: Partial<Config["nvidiaContainerCli"]>,
  disableImexChannelCreation = false,
): Config => ({
  ...DEFAULT_CONFIG,
  nvidiaContainerCli: { ...DEFAULT_CONFIG.nvidiaContainerCli, ...changes },
  features: { ...DEFAULT_CONFIG.features, disableImexChannelCreation },
});

/** Returns the paths of the created nodes. */
function made(
  tree: readonly string[],
  wanted: Partial<WantedDriver> = {},
  config = DEFAULT_CONFIG,
): string[] {
  const paths: string[] = [];
  const make: Syscalls["mknodat"] = (_, path) => paths.push(path) > 0;
  const system = fakeSyscalls({
    geteuid: () => 0,
    umask: () => 0o22,
    mknodat: make,
    mkdirat: () => true,
    symlinkat: () => true,
  });
  const findings = prepare(system, memoryHost(tree), config, { ...COMPUTE, ...wanted });
  expect(findings).toEqual([]);
  return paths;
}

describe("prepareHost()", () => {
  it("recognizes a ready host by a handful of names and does nothing", () => {
    const host = memoryHost(READY);
    expect(prepare(NO_KERNEL, host, DEFAULT_CONFIG, COMPUTE)).toEqual([]);
    const { lstat, readDirectory, ...others } = host.calls;
    expect(lstat + readDirectory).toBeLessThanOrEqual(8);
    expect(others).toEqual({ readFile: 0, readRange: 0, readLink: 0, realPath: 0 });
  });

  it("does nothing if load-kmods is off, not even a lookup", () => {
    const host = memoryHost(BARE_SERVER);
    const config = configured({ loadKmods: false });
    const request = COMPUTE as unknown as Request;
    const { findings } = collectFindings((report) => prepareHost(NO_KERNEL, host, config, request, report));
    expect(findings).toEqual([]);
    expect(Object.values(host.calls).every((count) => count === 0)).toBe(true);
  });

  it("leaves a Tegra board to its own system", () => {
    const host = memoryHost(["file /etc/nv_tegra_release"]);
    const request = COMPUTE as unknown as Request;
    prepareHost(NO_KERNEL, host, DEFAULT_CONFIG, request, () => expect.unreachable());
    expect(host.calls.lstat).toBe(0);
  });

  it("prepares a server", () => {
    const host = memoryHost(BARE_SERVER);
    const system = fakeSyscalls({ geteuid: () => 1000 });
    const request = COMPUTE as unknown as Request;
    const { findings } = collectFindings((report) =>
      prepareHost(system, host, DEFAULT_CONFIG, request, report),
    );
    expect(findings).toMatchObject([{ code: "host-setup-skipped" }]);
  });

  it.each(["nvidiactl", "nvidia-uvm", "nvidia0"])("creates a missing /dev/%s", (name) => {
    const tree = READY.filter((line) => !line.startsWith(`char /dev/${name} `));
    expect(made(tree)).toEqual([`/dev/${name}`]);
  });

  it("creates missing links by number to existing nodes", () => {
    const links: string[] = [];
    const symlinkat: Syscalls["symlinkat"] = (_target, _directory, path) => links.push(path) > 0;
    const system = fakeSyscalls({ geteuid: () => 0, umask: () => 0, mkdirat: () => true, symlinkat });
    expect(prepare(system, memoryHost([...BARE_SERVER, ...ALL_NODES]), DEFAULT_CONFIG, COMPUTE)).toEqual([]);
    expect(links).toContain("/dev/char/195:255");
  });

  it("requires a module only for its purpose", () => {
    const bare = made(BARE_SERVER, { driverCapabilities: ["utility"] });
    expect(bare).toEqual(["/dev/nvidiactl", "/dev/nvidia0", "/dev/nvidia1"]);
    expect(made(BARE_SERVER)).toContain("/dev/nvidia-uvm-tools");
    expect(made(BARE_SERVER, { driverCapabilities: ["video"] })).toContain("/dev/nvidia-uvm");
    expect(made(BARE_SERVER, { driverCapabilities: ["display"] })).toContain("/dev/nvidia-modeset");
  });

  it("creates the requested IMEX channels unless the configuration forbids it", () => {
    const channel = "/dev/nvidia-caps-imex-channels/channel5";
    expect(made(READY, { imexChannels: [5] })).toEqual([channel]);
    expect(made([...READY, `char ${channel} 235:5`], { imexChannels: [5] })).toEqual([]);
    expect(made(READY, { imexChannels: [5] }, configured({}, true))).toEqual([]);
  });

  it("creates no IMEX channel for an unprivileged container's environment", () => {
    expect(made(READY, { imexChannels: [5], mayCreateImexChannels: false })).toEqual([]);
  });

  it("creates the nodes of GPU instances that appeared after the driver", () => {
    const file = "file /proc/driver/nvidia/capabilities/gpu0/mig/gi1/access 0444";
    const tree = [...READY, `${file} = "DeviceFileMinor: 12\\nDeviceFileMode: 292\\n"`];
    expect(made(tree)).toEqual(["/dev/nvidia-caps/nvidia-cap12"]);
    expect(made([...tree, "char /dev/nvidia-caps/nvidia-cap12 234:12"])).toEqual([]);
  });

  it("uses the driver's own /dev if it has the nodes", () => {
    const root = "/run/nvidia/driver";
    const nodes = ALL_NODES.map((line) => line.replace("/dev/", `${root}/dev/`));
    const [first = "", ...others] = nodes;
    const links = ALL_LINKS.map((line) => line.replace("-> ..", `-> ${root}/dev`));
    const config = configured({ root: hostPath(root) });
    expect(made([...BARE_SERVER, ...nodes, ...links], {}, config)).toEqual([]);
    expect(made([...BARE_SERVER, first, ...links, ...others.slice(0, 3)], {}, config)).toEqual([
      `${root}/dev/nvidia0`,
      `${root}/dev/nvidia1`,
    ]);
  });

  it("reports an unreadable host as a finding", () => {
    const host = memoryHost([
      ...BARE_SERVER.filter((line) => !line.includes("/proc/devices")),
      "file /proc/devices 0000",
    ]);
    const system = fakeSyscalls({ geteuid: () => 0 });
    expect(prepare(system, host, DEFAULT_CONFIG, COMPUTE)).toMatchObject([
      {
        code: "host-setup-failed",
        severity: "warning",
        args: { reason: expect.stringContaining("/proc/devices") },
      },
    ]);
  });
});

describe("prepareHost(): loading modules", () => {
  const tree = BARE_SERVER.filter((line) => !/\/sys\/module|\/proc\/driver/.test(line));
  /** A kernel whose children print and exit as given. */
  function withChild(output: string, exited: number) {
    const spawned: number[] = [];
    let left = output;
    const system = fakeSyscalls({
      geteuid: () => 0,
      address: () => 4096,
      pipe2: () => ({ reader: { number: 10 }, writer: { number: 11 } }) as ReturnType<Syscalls["pipe2"]>,
      close: () => {},
      clock_gettime: () => 0,
      ppoll: () => true,
      read: (_, buffer) => {
        // Reading eight bytes from the report pipe returns nothing: no step failed before execve.
        if (buffer.length === 8) return 0;
        const bytes = encodeUtf8(left);
        left = "";
        buffer.set(bytes);
        return bytes.length;
      },
      decode: (bytes, start, end) => new TextDecoder().decode(bytes.subarray(start, end)),
      spawn: (flags) => spawned.push(flags) + 100,
      pidfd_open: () => undefined,
      wait4: () => ({ exited }),
    });
    return { system, spawned };
  }

  it("reports modprobe's last line and does not load modules that need the failed one", () => {
    const words = "modprobe: one\nmodprobe: FATAL: Module nvidia not found\u001b[31m\n";
    const { system, spawned } = withChild(words, 1);
    expect(prepare(system, memoryHost(tree), DEFAULT_CONFIG, COMPUTE)).toMatchObject([
      {
        code: "kernel-module-not-loaded",
        args: { module: "nvidia", reason: '"modprobe: FATAL: Module nvidia not found\\u001b[31m"' },
      },
    ]);
    expect(spawned).toHaveLength(1);
  });

  it("reports the exit status of a program without output", () => {
    const host = memoryHost([...tree, 'file /proc/sys/kernel/modprobe = "/usr/lib/modprobe\\n"']);
    expect(prepare(withChild("", 3).system, host, DEFAULT_CONFIG, COMPUTE)).toMatchObject([
      { args: { reason: "/usr/lib/modprobe ended with status 3" } },
    ]);
  });
});
