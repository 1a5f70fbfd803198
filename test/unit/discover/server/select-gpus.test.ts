import { expect, it } from "vitest";
import { selectGpus } from "../../../../src/discover/server/select-gpus.ts";
import { readMigDevices } from "../../../../src/driver/capabilities.ts";
import { readGpus } from "../../../../src/driver/gpus.ts";
import type { VisibleDevices } from "../../../../src/request/request.ts";
import { catchError } from "../../../support/cli/catch-error.ts";
import { serverHost } from "../../../support/host/server-host.ts";

const UUIDS = ["GPU-8f3c0000", "GPU-8f3d0000", "GPU-aaaa0000"].map(
  (start) => `${start}-1111-2222-3333-444444444444`,
);

const capability = (path: string, minor: number): string =>
  `file /proc/driver/nvidia/capabilities/${path}/access = "DeviceFileMinor: ${minor}\\nDeviceFileMode: 292\\n"`;

const HOST = serverHost({
  gpus: [
    { busId: "0000:01:00.0", minor: 1, uuid: UUIDS[0]! },
    { busId: "0000:02:00.0", minor: 0, uuid: UUIDS[1]! },
    { busId: "0000:81:00.0", minor: 2, uuid: UUIDS[2]! },
  ],
  tree: [
    // Minor 1 has index 0. Two-digit numbers come after one-digit ones.
    capability("gpu1/mig/gi10", 102),
    capability("gpu1/mig/gi10/ci0", 103),
    capability("gpu1/mig/gi2", 30),
    capability("gpu1/mig/gi2/ci0", 31),
    capability("gpu1/mig/gi2/ci1", 32),
  ],
});
const gpus = readGpus(HOST, () => {});
const migDevices = readMigDevices(HOST, gpus);

function select(visible: VisibleDevices | string) {
  const devices: VisibleDevices =
    typeof visible === "string" ? { kind: "list", ids: visible.split(",") } : visible;
  const selected = selectGpus(gpus, migDevices, devices, "NVIDIA_VISIBLE_DEVICES");
  return {
    gpus: selected.gpus.map(({ index }) => index),
    mig: selected.migDevices.map(({ gpu, index }) => `${gpu.index}:${index}`),
  };
}

it("selectGpus() returns everything for all and nothing for none", () => {
  expect(select({ kind: "all" })).toEqual({ gpus: [0, 1, 2], mig: ["0:0", "0:1", "0:2"] });
  expect(select({ kind: "none" })).toEqual({ gpus: [], mig: [] });
});

it.each([
  ["an index", "1", 1],
  ["a UUID", UUIDS[2]!, 2],
  ["a UUID in capital letters", UUIDS[2]!.toUpperCase(), 2],
  ["the beginning of a UUID", "GPU-8f3d", 1],
  ["a PCI address", "0000:81:00.0", 2],
  ["a PCI address as nvidia-smi writes it", "00000000:02:00.0", 1],
])("selectGpus() finds a GPU by %s", (_what, id, index) => {
  expect(select(id).gpus).toEqual([index]);
});

it("selectGpus() returns each GPU once, in the host's order", () => {
  expect(select(`2,1,${UUIDS[1]},0000:81:00.0`).gpus).toEqual([1, 2]);
});

it("selectGpus() returns a whole GPU with its instances, and an instance with only its GPU", () => {
  expect(select("0")).toEqual({ gpus: [0], mig: ["0:0", "0:1", "0:2"] });
  expect(select("0:1")).toEqual({ gpus: [0], mig: ["0:1"] });
  expect(select("0:1,0")).toEqual({ gpus: [0], mig: ["0:0", "0:1", "0:2"] });
  expect(select(`MIG-${UUIDS[0]}/10/0`)).toEqual({ gpus: [0], mig: ["0:2"] });
});

it("readMigDevices() numbers the instances and finds both capabilities of each", () => {
  expect(
    migDevices.map(({ gpuInstance, computeInstance, capabilities }) => [
      gpuInstance,
      computeInstance,
      ...capabilities,
    ]),
  ).toEqual([
    [2, 0, 30, 31],
    [2, 1, 30, 32],
    [10, 0, 102, 103],
  ]);
});

it.each([
  ["3", "no such GPU"],
  ["GPU-8f3", "more than one"],
  ["GPU-", "not an index, a UUID or a PCI address"],
  ["GPU-9999", "no such GPU"],
  ["0000:03:00.0", "no such GPU"],
  ["-1", "not an index"],
  ["0x1", "not an index"],
  ["nvidia0", "not an index"],
  ["0:3", "no such GPU instance"],
  ["1:0", "no such GPU instance"],
  ["MIG-GPU-9999/1/0", "no such GPU"],
  [`MIG-${UUIDS[0]}/3/0`, "no such GPU instance"],
  ["MIG-8f3c0000-1111-2222-3333-444444444444", "0:1"],
])("selectGpus() refuses %s", (id, reason) => {
  const error = catchError(() => select(`0,${id}`));
  expect(error.code).toBe("device-unknown");
  expect(error.message).toContain(`"${id}" (NVIDIA_VISIBLE_DEVICES)`);
  expect(error.message).toContain(reason);
  expect(error.lines.join("\n")).toContain(`GPU 2: ${UUIDS[2]}, 0000:81:00.0`);
});

it("selectGpus() refuses all on a host without GPUs", () => {
  const error = catchError(() => selectGpus([], [], { kind: "all" }, "NVIDIA_VISIBLE_DEVICES"));
  expect(error.code).toBe("device-unknown");
});

it("selectGpus() hints how a UUID becomes known if the driver does not report it yet", () => {
  const sleeping = readGpus(serverHost({ gpus: [{ busId: "0000:01:00.0", minor: 0 }] }), () => {});
  const visible = { kind: "list", ids: ["GPU-8f3c"] } as const;
  expect(catchError(() => selectGpus(sleeping, [], visible, "X")).message).toContain("nvidia-persistenced");
});
