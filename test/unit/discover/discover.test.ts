import { describe, expect, it } from "vitest";
import type { GpuFacts } from "../../../fixtures/host/driver-facts.ts";
import { MANIFEST_DIRECTORY } from "../../../fixtures/host/fake-l4t.ts";
import { type Config, DEFAULT_CONFIG } from "../../../src/config/config.ts";
import { discoverDevices, discover as discoverEdits } from "../../../src/discover/discover.ts";
import type { DiscoverInput } from "../../../src/discover/discover-input.ts";
import type { Finding } from "../../../src/model/finding.ts";
import { machineOf } from "../../../src/model/machine.ts";
import type { HostView } from "../../../src/model/views.ts";
import type { Request } from "../../../src/request/request.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { DEBIAN_TREE, memoryImage } from "../../support/host/memory-image.ts";
import { CONTROL_NODES, LIBRARIES, serverHost } from "../../support/host/server-host.ts";

const VERSION = "535.86.05";
const CUDA = `${LIBRARIES}/libcuda.so.${VERSION}`;
const BOARD_LIBRARY = `${LIBRARIES}/nvidia/libnvrm_gpu.so`;

const INTEGRATED: GpuFacts = {
  busId: "0000:01:00.0",
  minor: 0,
  uuid: "GPU-1a2b3c4d-1111-4222-8333-444455556666",
  model: "NVIDIA Thor",
};
const CARD: GpuFacts = {
  busId: "0009:01:00.0",
  minor: 1,
  uuid: "GPU-5e6f7a8b-1111-4222-8333-444455556666",
  model: "NVIDIA RTX 6000 Ada Generation",
};

const MANIFEST = `dev, /dev/nvmap\ndev, /dev/nvidia0\ndev, /dev/nvidia1\ndev, /dev/nvidiactl\nlib, ${BOARD_LIBRARY}\n`;
const TEGRA = [
  'file /etc/nv_tegra_release = "# R38 (release), REVISION: 2.0, GCID: 1, BOARD: generic, EABI: aarch64\\n"',
  `file ${MANIFEST_DIRECTORY}/l4t.csv = ${JSON.stringify(MANIFEST)}`,
  `file ${BOARD_LIBRARY}`,
  "char /dev/nvmap 60:1 0666",
];

interface Asked {
  /** `all`, `none` or a list. Default `all`. */
  readonly visible?: string;
  readonly tegra?: boolean;
  readonly gpus?: readonly GpuFacts[];
  readonly mode?: Config["nvidiaContainerRuntime"]["mode"];
  readonly given?: readonly string[];
  readonly tree?: readonly string[];
}

function visibleDevices(visible: string): Request["visibleDevices"] {
  if (visible === "all" || visible === "none") return { kind: visible };
  return { kind: "list", ids: visible.split(",") };
}

const IMAGE = memoryImage([...DEBIAN_TREE, "dir /proc/driver/nvidia"]);

function inputOf(asked: Asked): DiscoverInput {
  const { visible = "all", tegra = true, gpus = [INTEGRATED, CARD], mode = "auto", given = [] } = asked;
  const { nvidiaContainerRuntime: runtime } = DEFAULT_CONFIG;
  return {
    host: serverHost({
      modules: VERSION,
      libraries: {
        [`libcuda.so.${VERSION}`]: "libcuda.so.1",
        [`libnvidia-ml.so.${VERSION}`]: "libnvidia-ml.so.1",
      },
      gpus,
      tree: [
        "file /etc/debian_version",
        ...CONTROL_NODES,
        "char /dev/nvidia2 195:2 0666",
        'file /proc/driver/nvidia/params = "ModifyDeviceFiles: 1\\n"',
        ...(tegra ? TEGRA : []),
        ...(asked.tree ?? []),
      ],
    }),
    image: IMAGE,
    machine: machineOf("x64"),
    config: { ...DEFAULT_CONFIG, nvidiaContainerRuntime: { ...runtime, mode } },
    request: {
      visibleDevices: visibleDevices(visible),
      source: "NVIDIA_VISIBLE_DEVICES",
      driverCapabilities: ["compute", "utility"],
      requirements: [],
      csvMounts: undefined,
      imexChannels: [],
      migConfigDevices: undefined,
      migMonitorDevices: undefined,
      mayCreateImexChannels: false,
      serverFeatures: [],
      legacyImage: false,
      privileged: false,
    },
    givenDevices: new Set(given),
  };
}

function discover(asked: Asked = {}) {
  const findings: Finding[] = [];
  const found = discoverEdits(inputOf(asked), (one) => findings.push(one));
  const paths = found.deviceNodes.map(({ path }) => path as string);
  return {
    nodes: paths.filter((path) => /nvmap|nvidia\d/.test(path)).sort(),
    control: paths.filter((path) => !/nvmap|nvidia\d/.test(path)).sort(),
    files: found.mounts.map(({ containerPath }) => containerPath as string),
    shown: found.generated.flatMap(({ directories }) => directories),
    all: paths,
    findings,
  };
}

describe("discover(): platform", () => {
  it("uses the cache on a server and reads no manifest", () => {
    const { files, nodes } = discover({ tegra: false, tree: TEGRA.slice(1, -1) });
    expect(files).toContain(CUDA);
    expect(files).not.toContain(BOARD_LIBRARY);
    expect(nodes).toEqual(["/dev/nvidia0", "/dev/nvidia1"]);
  });

  it("uses the manifests on a Tegra board without a card", () => {
    const { files, nodes, shown } = discover({ gpus: [INTEGRATED] });
    expect(files).toContain(BOARD_LIBRARY);
    expect(files).not.toContain(CUDA);
    expect(nodes).toEqual(["/dev/nvidia0", "/dev/nvmap"]);
    expect(shown).toEqual([]);
  });

  it("uses both on a Tegra board with a card", () => {
    const { files } = discover();
    expect(files).toEqual(expect.arrayContaining([CUDA, BOARD_LIBRARY]));
  });

  it("uses only the manifests with mode csv, never the card", () => {
    expect(discover({ mode: "csv" }).files).not.toContain(CUDA);
    expect(catchError(() => discover({ mode: "csv", visible: "1" })).code).toBe("device-unknown");
  });

  it("uses the manifests with mode csv on a host without the release file", () => {
    expect(discover({ mode: "csv", tegra: false, tree: TEGRA.slice(1) }).files).toContain(BOARD_LIBRARY);
  });

  it("uses only the cache with mode legacy, and counts every GPU", () => {
    const { files, nodes } = discover({ mode: "legacy", visible: "1" });
    expect(files).not.toContain(BOARD_LIBRARY);
    expect(nodes).toEqual(["/dev/nvidia1"]);
  });
});

describe("discover() on a Tegra board without a card", () => {
  it.each(["1", "0,1", "GPU-5e6f7a8b", "MIG-0", "nvidia.com/gpu=0"])("refuses the GPU %s", (visible) => {
    expect(catchError(() => discover({ gpus: [INTEGRATED], visible })).code).toBe("device-unknown");
  });

  it("provides files and no nodes for none", () => {
    const { files, all } = discover({ gpus: [INTEGRATED], visible: "none" });
    expect(files).toContain(BOARD_LIBRARY);
    expect(all).toEqual([]);
  });
});

describe("discoverDevices()", () => {
  it.each([
    [[INTEGRATED]],
    [[INTEGRATED, CARD]],
  ])("finds the same nodes and no manifest files (%#)", (gpus) => {
    const whole = discover({ gpus });
    const input = inputOf({ gpus });
    // Anything not listed here cannot be looked up.
    const lstat: HostView["lstat"] = (path) =>
      path === BOARD_LIBRARY ? expect.unreachable(path) : input.host.lstat(path);
    const devices = discoverDevices({ ...input, host: { ...input.host, lstat } }, () => {});
    expect(devices.map(({ path }) => path)).toEqual(whole.all);
    expect(whole.files).toContain(BOARD_LIBRARY);
  });
});

describe("discover() on a board with a card", () => {
  it.each([
    ["all", ["/dev/nvidia0", "/dev/nvidia1", "/dev/nvidia2", "/dev/nvmap"]],
    ["0", ["/dev/nvidia0", "/dev/nvidia2", "/dev/nvmap"]],
    [INTEGRATED.uuid ?? "", ["/dev/nvidia0", "/dev/nvidia2", "/dev/nvmap"]],
    [(INTEGRATED.uuid ?? "").toUpperCase(), ["/dev/nvidia0", "/dev/nvidia2", "/dev/nvmap"]],
    ["00000000:01:00.0", ["/dev/nvidia0", "/dev/nvidia2", "/dev/nvmap"]],
    ["1", ["/dev/nvidia1", "/dev/nvmap"]],
    [CARD.uuid ?? "", ["/dev/nvidia1", "/dev/nvmap"]],
    ["GPU-5e6f", ["/dev/nvidia1", "/dev/nvmap"]],
    [CARD.busId, ["/dev/nvidia1", "/dev/nvmap"]],
    ["0,1", ["/dev/nvidia0", "/dev/nvidia1", "/dev/nvidia2", "/dev/nvmap"]],
    ["none", []],
  ])("provides for %s the nodes %j, each once", (visible, expected) => {
    const { nodes, control } = discover({ visible });
    expect(nodes).toEqual(expected);
    expect(control).toEqual(["/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidiactl"]);
  });

  it.each([
    ["all", [INTEGRATED.busId, CARD.busId]],
    ["0", [INTEGRATED.busId]],
    ["1", [CARD.busId]],
    ["none", []],
  ])("shows for %s below /proc the GPUs %j", (visible, expected) => {
    expect(discover({ visible }).shown).toEqual(expected.map((busId) => `gpus/${busId}`));
  });

  it.each(["2", "GPU-dead", "0000:99:00.0", "0,2"])("refuses the unknown GPU %s", (visible) => {
    expect(catchError(() => discover({ visible })).code).toBe("device-unknown");
  });

  it("gives the card index 1 if the driver does not list the integrated GPU", () => {
    const tree = ["char /dev/nvidia0 195:0 0666"];
    expect(discover({ gpus: [CARD], tree, visible: "1" }).nodes).toEqual(["/dev/nvidia1", "/dev/nvmap"]);
    expect(discover({ gpus: [CARD], tree, visible: "0" }).nodes).toEqual([
      "/dev/nvidia0",
      "/dev/nvidia2",
      "/dev/nvmap",
    ]);
  });

  it("skips nodes that config.json already has", () => {
    const given = ["/dev/nvidia0", "/dev/nvidia1", "/dev/nvidia2"];
    const { nodes, findings } = discover({ given });
    expect(nodes).toEqual(["/dev/nvmap"]);
    const said = findings.flatMap((one) => (one.code === "device-already-given" ? [one.args.path] : []));
    expect(said.sort()).toEqual(given);
  });
});

describe.each([
  ["a server", false, [CARD]],
  ["a board", true, [INTEGRATED]],
] as const)("discover() on %s", (_, tegra, gpus) => {
  it("skips a node that config.json already has, and reports it", () => {
    const asked = { tegra, gpus, given: ["/dev/nvidiactl", `/dev/nvidia${gpus[0].minor}`] };
    const { nodes, findings } = discover(asked);
    expect(nodes).toEqual(tegra ? ["/dev/nvmap"] : []);
    const node = `/dev/nvidia${gpus[0].minor}`;
    expect(findings).toContainEqual(
      expect.objectContaining({ code: "device-already-given", severity: "info", args: { path: node } }),
    );
  });
});
