import { expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../../../../src/config/config.ts";
import { discoverServer } from "../../../../src/discover/server/discover-server.ts";
import { machineOf } from "../../../../src/model/machine.ts";
import { type HostPath, hostPath } from "../../../../src/model/paths.ts";
import type { HostView, ImageView } from "../../../../src/model/views.ts";
import type { Request } from "../../../../src/request/request.ts";
import { catchError } from "../../../support/cli/catch-error.ts";
import { collectFindings } from "../../../support/cli/collect-findings.ts";
import { DEBIAN_TREE, memoryImage } from "../../../support/host/memory-image.ts";
import { madeCudaNote, noteElf } from "../../../support/host/note-elf.ts";
import { CONTROL_NODES, LIBRARIES, type MadeServer, serverHost } from "../../../support/host/server-host.ts";

const VERSION = "535.86.05";
const FIRMWARE = `/lib/firmware/nvidia/${VERSION}`;

const SERVER: MadeServer = {
  modules: VERSION,
  libraries: {
    [`libcuda.so.${VERSION}`]: "libcuda.so.1",
    [`libnvidia-ml.so.${VERSION}`]: "libnvidia-ml.so.1",
    [`libnvidia-eglcore.so.${VERSION}`]: `libnvidia-eglcore.so.${VERSION}`,
    [`libnvidia-allocator.so.${VERSION}`]: "libnvidia-allocator.so.1",
  },
  gpus: [
    { busId: "0000:01:00.0", minor: 0, uuid: "GPU-aaaaaaaa-1111-2222-3333-444444444444", model: "Tesla T4" },
    { busId: "0000:02:00.0", minor: 1, uuid: "GPU-bbbbbbbb-1111-2222-3333-444444444444", model: "Tesla T4" },
  ],
  tree: [
    ...CONTROL_NODES,
    "file /usr/bin/nvidia-smi 0755",
    "file /opt/nvidia/bin/nvidia-cuda-mps-control 0755",
    "symlink /usr/sbin/nvidia-cuda-mps-control -> /opt/nvidia/bin/nvidia-cuda-mps-control",
    `file ${FIRMWARE}/gsp_tu10x.bin`,
    `file ${FIRMWARE}/gsp_ga10x.bin`,
    `file ${FIRMWARE}/README`,
    `file ${FIRMWARE}/nvidia_other.bin`,
    "socket /run/nvidia-persistenced/socket",
    'file /proc/driver/nvidia/params = "ResmanDebugLevel: 4294967295\\nModifyDeviceFiles: 1\\nDeviceFileUID: 0\\n"',
    "file /etc/OpenCL/vendors/nvidia.icd",
    "file /etc/vulkan/icd.d/nvidia_icd.json",
    "file /usr/share/vulkan/icd.d/nvidia_icd.json",
    "file /usr/share/glvnd/egl_vendor.d/10_nvidia.json",
    `file /usr/share/nvidia/nvidia-application-profiles-${VERSION}-rc`,
    "file /usr/share/X11/xorg.conf.d/10-nvidia.conf",
    `symlink ${LIBRARIES}/gbm/nvidia-drm_gbm.so -> ../libnvidia-allocator.so.1`,
    "dir /sys/bus/pci/devices/0000:02:00.0/drm/card1",
    "dir /sys/bus/pci/devices/0000:02:00.0/drm/renderD129",
    "dir /sys/bus/pci/devices/0000:02:00.0/drm/controlD65",
    "char /dev/dri/card0 226:0 0660 0:44",
    "char /dev/dri/card1 226:1 0660 0:44",
    "char /dev/dri/renderD129 226:129 0660 0:105",
  ],
};

const REQUEST: Request = {
  visibleDevices: { kind: "all" },
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
};

const WITH_PROC = memoryImage([...DEBIAN_TREE, "dir /proc/driver/nvidia"]);
const WITHOUT_PROC = memoryImage(DEBIAN_TREE);

interface Surroundings {
  readonly host?: HostView;
  readonly image?: ImageView;
  readonly driverRoot?: HostPath;
  readonly mpsPipeDirectory?: HostPath;
}

function discover(
  request: Partial<Request> = {},
  server: Partial<MadeServer> = {},
  surroundings: Surroundings = {},
) {
  const { host, image = WITH_PROC, driverRoot: root = hostPath("/") } = surroundings;
  const { mpsPipeDirectory = DEFAULT_CONFIG.nvidiaContainerCli.mpsPipeDirectory } = surroundings;
  const made = { ...SERVER, ...server, tree: [...(SERVER.tree ?? []), ...(server.tree ?? [])] };
  const { value: edits, findings } = collectFindings((report) =>
    discoverServer(
      {
        host: host ?? serverHost(made),
        image,
        machine: machineOf("x64"),
        config: {
          ...DEFAULT_CONFIG,
          nvidiaContainerCli: { ...DEFAULT_CONFIG.nvidiaContainerCli, root, mpsPipeDirectory },
        },
        request: { ...REQUEST, ...request },
        givenDevices: new Set(),
      },
      report,
    ),
  );
  return { edits, findings, generated: edits.generated };
}

type Discovery = ReturnType<typeof discover>;
const paths = ({ edits }: Discovery): string[] => edits.mounts.map(({ containerPath }) => containerPath);
const nodes = ({ edits }: Discovery): string[] => edits.deviceNodes.map(({ path }) => path);
const links = ({ edits }: Discovery): string[] =>
  edits.links.map(({ containerPath, target }) => `${containerPath} -> ${target}`);
const missing = ({ findings }: Discovery): unknown[] =>
  findings.filter(({ code }) => code === "entry-missing").map(({ args }) => args);

it("discoverServer() provides exactly what compute and utility need", () => {
  const found = discover();
  expect(paths(found)).toEqual([
    `${LIBRARIES}/libnvidia-ml.so.${VERSION}`,
    `${LIBRARIES}/libnvidia-allocator.so.${VERSION}`,
    `${LIBRARIES}/libcuda.so.${VERSION}`,
    "/usr/bin/nvidia-smi",
    "/usr/bin/nvidia-cuda-mps-control",
    "/etc/OpenCL/vendors/nvidia.icd",
    `${FIRMWARE}/gsp_ga10x.bin`,
    `${FIRMWARE}/gsp_tu10x.bin`,
    "/run/nvidia-persistenced/socket",
    "/proc/driver/nvidia/gpus/0000:01:00.0",
    "/proc/driver/nvidia/gpus/0000:02:00.0",
  ]);
  expect(nodes(found)).toEqual([
    "/dev/nvidiactl",
    "/dev/nvidia-uvm",
    "/dev/nvidia-uvm-tools",
    "/dev/nvidia0",
    "/dev/nvidia1",
  ]);
});

it("discoverServer() mounts the real program under its plain name", () => {
  const mount = discover().edits.mounts.find(
    (one) => one.containerPath === "/usr/bin/nvidia-cuda-mps-control",
  );
  expect(mount).toMatchObject({
    hostPath: "/opt/nvidia/bin/nvidia-cuda-mps-control",
    options: ["ro", "nosuid", "nodev"],
  });
});

it("discoverServer() mounts sockets writable and noexec", () => {
  const socket = discover().edits.mounts.find((one) => one.containerPath.endsWith("/socket"));
  expect(socket).toMatchObject({ kind: "socket", options: ["nosuid", "nodev", "noexec"] });
});

it("discoverServer() keeps a node's number, mode and owner, and forbids mknod", () => {
  expect(discover({ driverCapabilities: ["graphics"] }).edits.deviceNodes.at(-1)).toMatchObject({
    path: "/dev/dri/renderD129",
    hostPath: "/dev/dri/renderD129",
    type: "c",
    major: 226,
    minor: 129,
    fileMode: 0o660,
    gid: 105,
    permissions: "rw",
  });
});

it("discoverServer() provides the screens of the selected GPUs for graphics, and the files that lead to them", () => {
  const found = discover({
    driverCapabilities: ["graphics"],
    visibleDevices: { kind: "list", ids: ["1"] },
  });
  expect(nodes(found)).toEqual([
    "/dev/nvidiactl",
    "/dev/nvidia-modeset",
    "/dev/nvidia1",
    "/dev/dri/card1",
    "/dev/dri/renderD129",
  ]);
  expect(links(found)).toContain("/dev/dri/by-path/pci-0000:02:00.0-card -> ../card1");
  expect(links(found)).toContain("/dev/dri/by-path/pci-0000:02:00.0-render -> ../renderD129");
  expect(links(found)).toContain(`${LIBRARIES}/gbm/nvidia-drm_gbm.so -> ../libnvidia-allocator.so.1`);
  expect(paths(found)).toContain("/etc/vulkan/icd.d/nvidia_icd.json");
  expect(paths(found)).not.toContain("/usr/share/vulkan/icd.d/nvidia_icd.json");
  expect(paths(found)).toContain("/usr/share/glvnd/egl_vendor.d/10_nvidia.json");
  expect(paths(found)).toContain(`/usr/share/nvidia/nvidia-application-profiles-${VERSION}-rc`);
  expect(paths(found)).not.toContain("/usr/share/X11/xorg.conf.d/10-nvidia.conf");
  expect(paths(discover({ driverCapabilities: ["display"] }))).toContain(
    "/usr/share/X11/xorg.conf.d/10-nvidia.conf",
  );
});

it("discoverServer() generates an EGL profile for the selected GPUs", () => {
  const { generated } = discover({
    driverCapabilities: ["graphics"],
    visibleDevices: { kind: "list", ids: ["1"] },
  });
  const profile = generated.find(({ path }) => path === "/etc/nvidia/nvidia-application-profiles-rc.d");
  expect(profile?.files.map(({ name }) => name)).toEqual(["10-container.conf"]);
  expect(profile?.files[0]?.content).toContain('"EGLVisibleDGPUDevices", 0x2]');
});

const procFiles = (found: ReturnType<typeof discover>) =>
  found.generated.find(({ path }) => path === "/proc/driver/nvidia")?.files ?? [];

it("discoverServer() forbids the driver's libraries to create device nodes", () => {
  expect(procFiles(discover()).find(({ name }) => name === "params")?.content).toBe(
    "ResmanDebugLevel: 4294967295\nModifyDeviceFiles: 0\nDeviceFileUID: 0\n",
  );
  const tree = SERVER.tree?.filter((line) => !line.includes("/params")) ?? [];
  const host = serverHost({
    ...SERVER,
    tree: [...tree, 'file /proc/driver/nvidia/params = "ModifyDeviceFiles: 0\\n"'],
  });
  expect(procFiles(discover({}, {}, { host })).find(({ name }) => name === "params")?.content).toBe(
    "ModifyDeviceFiles: 0\n",
  );
});

it("discoverServer() shows only the selected GPUs in /proc/driver/nvidia", () => {
  const found = discover({ visibleDevices: { kind: "list", ids: ["1"] } });
  const proc = found.generated.find(({ path }) => path === "/proc/driver/nvidia");
  expect(proc?.directories).toEqual(["gpus/0000:02:00.0"]);
  expect(paths(found)).toContain("/proc/driver/nvidia/gpus/0000:02:00.0");
  expect(paths(found)).not.toContain("/proc/driver/nvidia/gpus/0000:01:00.0");
});

it("discoverServer() leaves /proc alone if the container's procfs has no driver", () => {
  const found = discover({}, {}, { image: WITHOUT_PROC });
  expect(found.generated.map(({ path }) => path)).not.toContain("/proc/driver/nvidia");
});

it("discoverServer() provides the driver's files without a GPU for none", () => {
  const found = discover({ visibleDevices: { kind: "none" } });
  expect(nodes(found)).toEqual(["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"]);
  expect(paths(found)).toContain(`${LIBRARIES}/libcuda.so.${VERSION}`);
});

it("discoverServer() reports programs and sockets that the host lacks", () => {
  expect(missing(discover())).toContainEqual({ type: "program", path: "nvidia-debugdump" });
  expect(missing(discover())).toContainEqual({ type: "socket", path: "/tmp/nvidia-mps" });
  expect(missing(discover({ driverCapabilities: ["utility"] }))).not.toContainEqual({
    type: "socket",
    path: "/tmp/nvidia-mps",
  });
});

it("discoverServer() does not follow a link in /tmp to another directory of the host", () => {
  const found = discover({}, { tree: ["dir /root", "symlink /tmp/nvidia-mps -> /root"] });
  expect(paths(found)).not.toContain("/tmp/nvidia-mps");
  expect(found.findings).toContainEqual(expect.objectContaining({ code: "entry-wrong-type" }));
});

it("discoverServer() finds MPS where config.toml says, at the same path, and follows no link there", () => {
  const mpsPipeDirectory = hostPath("/run/mps/pipes");
  const withDirectory = discover(
    {},
    { tree: ["dir /run/mps/pipes", "dir /tmp/nvidia-mps"] },
    { mpsPipeDirectory },
  );
  const mount = withDirectory.edits.mounts.find(({ source }) => source === "socket /run/mps/pipes");
  expect(mount).toMatchObject({ hostPath: "/run/mps/pipes", containerPath: "/run/mps/pipes" });
  expect(mount?.options).toEqual(["nosuid", "nodev", "noexec"]);
  expect(paths(withDirectory)).not.toContain("/tmp/nvidia-mps");
  const withLink = discover(
    {},
    { tree: ["dir /root", "symlink /run/mps/pipes -> /root"] },
    { mpsPipeDirectory },
  );
  expect(paths(withLink)).not.toContain("/run/mps/pipes");
});

const RELEASE = "6.8.0-45-generic";
const FIRMWARE_PLACES = [
  `/lib/firmware/updates/${RELEASE}`,
  "/lib/firmware/updates",
  `/lib/firmware/${RELEASE}`,
  "/lib/firmware",
];

it.each(
  FIRMWARE_PLACES.map((_, index) => FIRMWARE_PLACES.slice(index)),
)("discoverServer() takes firmware from %s before the kernel's later directories", (first, ...later) => {
  const tree = [first, ...later].flatMap((place, index) => [
    `file ${place}/nvidia/${VERSION}/gsp_${index}.bin`,
  ]);
  const found = discover({}, { tree: [`file /proc/sys/kernel/osrelease = "${RELEASE}\\n"`, ...tree] });
  const firmware = found.edits.mounts.filter(({ source }) => source.startsWith("firmware"));
  expect(firmware.map(({ hostPath: path }) => path)).toContain(`${first}/nvidia/${VERSION}/gsp_0.bin`);
  expect(firmware.map(({ hostPath: path }) => path)).not.toContainEqual(expect.stringContaining("gsp_1.bin"));
  expect(paths(found)).toContain(`${FIRMWARE}/gsp_0.bin`);
});

it.each([
  ["Ubuntu's", `${LIBRARIES}/nvidia/xorg`, ""],
  ["Debian's", "/usr/lib/xorg/modules/extensions", ""],
  ["an update's", "/usr/lib/xorg/modules/updates/extensions", ""],
  ["an update's beside the libraries", `${LIBRARIES}/xorg/modules/updates/extensions`, ""],
  ["the oldest", "/usr/X11R6/lib/modules/extensions", ""],
  ["a versioned", `${LIBRARIES}/nvidia/xorg`, `.${VERSION}`],
])("discoverServer() finds X modules in %s directory, for display only", (_, directory, suffix) => {
  const module = `${directory}/libglxserver_nvidia.so`;
  const tree = [`file ${module}${suffix}`];
  const mounts = (capability: "display" | "graphics") =>
    discover({ driverCapabilities: [capability] }, { tree }).edits.mounts.filter(
      ({ containerPath: path }) => path === module,
    );
  expect(mounts("display")).toMatchObject([{ hostPath: `${module}${suffix}` }]);
  expect(mounts("graphics")).toEqual([]);
});

it("discoverServer() provides NGX for Wine below the container's libraries", () => {
  const tree = [`file ${LIBRARIES}/nvidia/wine/nvngx.dll`, `file ${LIBRARIES}/nvidia/wine/README`];
  const image = memoryImage(["dir /usr/lib", "dir /usr/lib64"]);
  const found = discover({ driverCapabilities: ["compute", "ngx"] }, { tree }, { image });
  expect(paths(found)).toContain("/usr/lib64/nvidia/wine/nvngx.dll");
  expect(paths(found).filter((path) => path.includes("README"))).toEqual([]);
});

it("discoverServer() uses the administrator's firmware directory", () => {
  const found = discover(
    {},
    {
      tree: [
        'file /sys/module/firmware_class/parameters/path = "/opt/firmware\\n"',
        `file /opt/firmware/nvidia/${VERSION}/gsp.bin`,
      ],
    },
  );
  expect(found.edits.mounts).toContainEqual(
    expect.objectContaining({
      hostPath: `/opt/firmware/nvidia/${VERSION}/gsp.bin`,
      containerPath: `${FIRMWARE}/gsp.bin`,
    }),
  );
});

it("discoverServer() reads files from the driver's root and facts from the kernel", () => {
  const root = "/run/nvidia/driver";
  const host = serverHost({
    modules: VERSION,
    libraries: SERVER.libraries ?? {},
    gpus: [],
    root,
    tree: [
      `file ${root}/usr/bin/nvidia-smi`,
      `char ${root}/dev/nvidiactl 195:255`,
      "char /dev/nvidiactl 195:255",
      `socket ${root}/run/nvidia-persistenced/socket`,
    ],
  });
  const found = discover({ visibleDevices: { kind: "none" } }, {}, { host, driverRoot: hostPath(root) });
  expect(found.edits.mounts.every(({ hostPath: path }) => path.startsWith(root))).toBe(true);
  expect(paths(found)).toContain("/usr/bin/nvidia-smi");
  expect(paths(found)).toContain("/run/nvidia-persistenced/socket");
  expect(found.edits.deviceNodes).toMatchObject([
    { path: "/dev/nvidiactl", hostPath: `${root}/dev/nvidiactl` },
  ]);
});

it("discoverServer() uses the host's nodes if the driver's root has none", () => {
  const root = "/opt/driver";
  const host = serverHost({ modules: VERSION, root, tree: CONTROL_NODES });
  const found = discover({ visibleDevices: { kind: "none" } }, {}, { host, driverRoot: hostPath(root) });
  expect(found.edits.deviceNodes[0]).toMatchObject({ hostPath: "/dev/nvidiactl" });
});

const capability = (path: string, minor: number): string =>
  `file /proc/driver/nvidia/capabilities/${path} = "DeviceFileMinor: ${minor}\\n"`;
const capabilityNode = (minor: number): string =>
  `char /dev/nvidia-caps/nvidia-cap${minor} 235:${minor} 0444`;
const MIG = [
  capability("mig/config", 1),
  capability("mig/monitor", 2),
  capability("gpu0/mig/gi1/access", 12),
  capability("gpu0/mig/gi1/ci0/access", 13),
  capability("gpu0/mig/gi2/access", 21),
  capability("gpu0/mig/gi2/ci0/access", 22),
  ...[1, 2, 12, 13, 21, 22].map(capabilityNode),
];

it("discoverServer() provides a GPU instance with its own capabilities", () => {
  const found = discover({ visibleDevices: { kind: "list", ids: ["0:1"] } }, { tree: MIG });
  expect(nodes(found).slice(3)).toEqual([
    "/dev/nvidia0",
    "/dev/nvidia-caps/nvidia-cap21",
    "/dev/nvidia-caps/nvidia-cap22",
  ]);
});

it("discoverServer() provides all instances to their manager, each node once", () => {
  const request = { visibleDevices: { kind: "list", ids: ["0:0"] }, migConfigDevices: "all" } as const;
  expect(nodes(discover(request, { tree: MIG })).slice(4)).toEqual(
    [12, 13, 1, 21, 22].map((minor) => `/dev/nvidia-caps/nvidia-cap${minor}`),
  );
  const monitor = { visibleDevices: { kind: "none" }, migMonitorDevices: "all" } as const;
  expect(nodes(discover(monitor, { tree: MIG }))).toContain("/dev/nvidia-caps/nvidia-cap2");
  expect(nodes(discover(monitor, { tree: MIG }))).not.toContain("/dev/nvidia-caps/nvidia-cap1");
});

it("discoverServer() provides IMEX channels and refuses missing ones", () => {
  const tree = ["char /dev/nvidia-caps-imex-channels/channel7 234:7 0666"];
  expect(nodes(discover({ imexChannels: [7] }, { tree }))).toContain(
    "/dev/nvidia-caps-imex-channels/channel7",
  );
  expect(catchError(() => discover({ imexChannels: [8] }, { tree }))).toMatchObject({
    code: "device-unknown",
  });
});

it("discoverServer() provides requested features", () => {
  const tree = [
    "char /dev/nvidia-fs0 240:0",
    "char /dev/nvidia-fs15 240:15",
    "char /dev/gdrdrv 241:0",
    "char /dev/infiniband/uverbs0 231:192",
    "char /dev/infiniband/rdma_cm 10:58",
    "char /dev/infiniband/umad0 231:0",
    "char /dev/nvidia-nvswitchctl 242:255",
    "dir /run/udev",
    "file /etc/cufile.json",
  ];
  const found = discover({ serverFeatures: ["gds", "mofed"] }, { tree });
  expect(nodes(found).slice(5)).toEqual([
    "/dev/nvidia-fs0",
    "/dev/nvidia-fs15",
    "/dev/infiniband/rdma_cm",
    "/dev/infiniband/uverbs0",
  ]);
  expect(found.edits.mounts.filter(({ source }) => source === "NVIDIA_GDS")).toMatchObject([
    { containerPath: "/run/udev", kind: "directory" },
    { containerPath: "/etc/cufile.json", kind: "file" },
  ]);
  expect(nodes(discover({ serverFeatures: ["gdrcopy", "nvswitch"] }, { tree })).slice(5)).toEqual([
    "/dev/gdrdrv",
    "/dev/nvidia-nvswitchctl",
  ]);
  expect(missing(discover({ serverFeatures: ["gdrcopy"] }))).toContainEqual({
    type: "dev",
    path: "/dev/gdrdrv",
  });
});

it("discoverServer() checks the image's requirements", () => {
  const requirements = [{ source: "NVIDIA_REQUIRE_CUDA", expression: "cuda>=12.2,brand=tesla,driver<536" }];
  expect(() => discover({ requirements })).not.toThrow();
  const unmet = [{ source: "NVIDIA_REQUIRE_CUDA", expression: "cuda>=12.3" }];
  expect(catchError(() => discover({ requirements: unmet })).code).toBe("requirement-unmet");
});

it("discoverServer() prefers libcuda's CUDA version to that of the driver branch", () => {
  const bytes = {
    [`${LIBRARIES}/libcuda.so.${VERSION}`]: noteElf([madeCudaNote({ "CUDA version": "12.9" })]),
  };
  // The tree has the same file; these bytes are its content.
  const requirements = [{ source: "NVIDIA_REQUIRE_CUDA", expression: "cuda=12.9" }];
  expect(() => discover({ requirements }, { bytes })).not.toThrow();
  expect(catchError(() => discover({ requirements })).message).toContain("CUDA 12.2");
});

it("discoverServer() fails without the kernel modules", () => {
  const error = catchError(() => discover({}, { modules: undefined }));
  expect(error.code).toBe("platform-unsupported");
});

it("discoverServer() refuses a GPU without a node and hints how to create it", () => {
  const tree = (SERVER.tree ?? []).filter((line) => !line.includes("/dev/nvidia0"));
  const host = serverHost({ ...SERVER, tree });
  const blind = { ...host, lstat: (path: never) => (path === "/dev/nvidia0" ? undefined : host.lstat(path)) };
  const error = catchError(() => discover({}, {}, { host: blind }));
  expect(error.code).toBe("device-unknown");
  expect(error.lines.join()).toContain("nvidia-modprobe -c 0");
});

it("discoverServer() refuses a node path that is not a device", () => {
  const tree = (SERVER.tree ?? []).filter((line) => !line.includes("/dev/nvidia-uvm "));
  const found = discover(
    {},
    {},
    { host: serverHost({ ...SERVER, tree: [...tree, "symlink /dev/nvidia-uvm -> /dev/mem"] }) },
  );
  expect(nodes(found)).not.toContain("/dev/nvidia-uvm");
  expect(found.findings).toContainEqual(
    expect.objectContaining({ code: "entry-wrong-type", severity: "warning" }),
  );
});

it("discoverServer() queries the host hundreds of times, not thousands", () => {
  let calls = 0;
  const host = serverHost(SERVER);
  const counting = new Proxy(host, {
    get: (target, name, receiver) => {
      calls++;
      return Reflect.get(target, name, receiver);
    },
  });
  discover({}, {}, { host: counting });
  expect(calls).toBeLessThan(150);
});
