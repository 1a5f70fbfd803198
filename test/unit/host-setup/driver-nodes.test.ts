import { describe, expect, it } from "vitest";
import { KERNEL_MODULES } from "../../../src/driver/facts/control-nodes.ts";
import { type DriverNodesInput, driverNodes } from "../../../src/host-setup/driver-nodes.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";
import { BARE_SERVER, pciTree } from "../../support/host/bare-server.ts";
import { memoryHost } from "../../support/host/memory-host.ts";

const list = (tree: readonly string[], input: Partial<DriverNodesInput> = {}) =>
  collectFindings((report) =>
    driverNodes({ host: memoryHost(tree), modules: KERNEL_MODULES, imexChannels: [], ...input }, report),
  );

/** Returns paths with their numbers. */
const shown = (...args: Parameters<typeof list>): string[] =>
  list(...args).value.map(({ path, major, minor }) => `${path} ${major}:${minor}`);

const capability = (path: string, text: string): string =>
  `file /proc/driver/nvidia/capabilities/${path} 0400 = ${JSON.stringify(text)}`;

describe("driverNodes()", () => {
  it("lists the driver's own nodes and one for each GPU on the bus", () => {
    expect(shown(BARE_SERVER)).toEqual([
      "/dev/nvidiactl 195:255",
      "/dev/nvidia-uvm 507:0",
      "/dev/nvidia-uvm-tools 507:1",
      "/dev/nvidia-modeset 195:254",
      "/dev/nvidia0 195:0",
      "/dev/nvidia1 195:1",
    ]);
  });

  it("ignores other vendors and other kinds of functions", () => {
    const tree = pciTree(["0x1002", "0x030000"], ["0x10de", "0x0c0330"], ["0x10de", "0x068000"]);
    expect(shown(tree, { modules: ["nvidia"] })).toEqual(["/dev/nvidiactl 195:255"]);
  });

  it("uses the driver's number for a GPU beyond the count", () => {
    const information = "file /proc/driver/nvidia/gpus/0000:0a:00.0/information = ";
    const tree = [...BARE_SERVER, `${information}"Device Minor: \\t 7\\n"`];
    expect(shown(tree).filter((node) => /nvidia\d/.test(node))).toEqual([
      "/dev/nvidia0 195:0",
      "/dev/nvidia1 195:1",
      "/dev/nvidia7 195:7",
    ]);
  });

  it("omits the nodes of missing modules", () => {
    expect(shown(BARE_SERVER, { modules: ["nvidia"] })).toEqual([
      "/dev/nvidiactl 195:255",
      "/dev/nvidia0 195:0",
      "/dev/nvidia1 195:1",
    ]);
    expect(shown(BARE_SERVER, { modules: [], imexChannels: [0] })).toEqual([]);
  });

  it("lists a node for every capability, with the rules of its own file", () => {
    const tree = [
      ...BARE_SERVER,
      capability("mig/config", "DeviceFileMinor: 1\nDeviceFileMode: 256\nDeviceFileModify: 1\n"),
      capability("gpu0/mig/gi2/access", "DeviceFileMinor: 21\nDeviceFileMode: 292\nDeviceFileModify: 1\n"),
      capability(
        "gpu0/mig/gi2/ci0/access",
        "DeviceFileMinor: 22\nDeviceFileMode: 292\nDeviceFileModify: 0\n",
      ),
      'file /proc/driver/nvidia/params = "DeviceFileMode: 432\\n"',
    ];
    const nodes = list(tree).value.filter(({ major }) => major === 234);
    expect(nodes.map(({ path, rules: { mode, modify } }) => [path, mode, modify])).toEqual([
      ["/dev/nvidia-caps/nvidia-cap21", 0o444, true],
      ["/dev/nvidia-caps/nvidia-cap22", 0o444, false],
      ["/dev/nvidia-caps/nvidia-cap1", 0o400, true],
    ]);
    expect(list(tree).value[0]?.rules.mode).toBe(0o660);
  });

  it.each([
    "",
    "DeviceFileMinor: x",
    "DeviceFileMinor: 1048576",
  ])("omits a capability whose file contains %j", (text) => {
    expect(shown([...BARE_SERVER, capability("mig/config", text)])).toEqual(shown(BARE_SERVER));
  });

  it("lists the requested IMEX channels", () => {
    expect(shown(BARE_SERVER, { imexChannels: [0, 300] }).slice(-2)).toEqual([
      "/dev/nvidia-caps-imex-channels/channel0 235:0",
      "/dev/nvidia-caps-imex-channels/channel300 235:300",
    ]);
  });

  it("lists no IMEX channel beyond the driver's count", () => {
    const channel = "/dev/nvidia-caps-imex-channels/channel";
    const outOf = (params: string, asked: readonly number[]) => {
      const tree = [...BARE_SERVER, `file /proc/driver/nvidia/params = "${params}\\n"`];
      const { value: nodes, findings } = list(tree, { imexChannels: asked });
      const made = nodes.map(({ path }) => path).filter((path) => path.startsWith(channel));
      return { made, refused: findings.map(({ args }) => (args as { path: string }).path) };
    };
    expect(outOf("ImexChannelCount: 4", [3, 4])).toEqual({ made: [`${channel}3`], refused: [`${channel}4`] });
    expect(outOf("DeviceFileUID: 0", [2047, 2048])).toEqual({
      made: [`${channel}2047`],
      refused: [`${channel}2048`],
    });
  });

  it("reports nodes without a number and does not guess one", () => {
    const tree = BARE_SERVER.filter((line) => !line.includes("/proc/devices"));
    const { value: nodes, findings } = list(tree, { imexChannels: [0] });
    expect(new Set(nodes.map(({ major }) => major))).toEqual(new Set([195]));
    expect(findings.map(({ code, args }) => [code, args])).toEqual([
      ["device-number-unknown", { path: "/dev/nvidia-uvm", driver: "nvidia-uvm" }],
      ["device-number-unknown", { path: "/dev/nvidia-uvm-tools", driver: "nvidia-uvm" }],
      [
        "device-number-unknown",
        { path: "/dev/nvidia-caps-imex-channels/channel0", driver: "nvidia-caps-imex-channels" },
      ],
    ]);
  });
});
