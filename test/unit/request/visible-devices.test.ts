import { describe, expect, it } from "vitest";
import { ALL, ask, PRIVILEGED } from "../../support/cli/ask.ts";
import { catchError } from "../../support/cli/catch-error.ts";

const ROOT = "/var/run/nvidia-container-devices";
const BY_MOUNTS = { acceptNvidiaVisibleDevicesAsVolumeMounts: true };
const DISTRUST = { acceptNvidiaVisibleDevicesEnvvarWhenUnprivileged: false };

const devicesOf = (value: string) => ask([`NVIDIA_VISIBLE_DEVICES=${value}`]).request?.visibleDevices;

describe("resolveRequest(): NVIDIA_VISIBLE_DEVICES", () => {
  it.each([
    ["all", { kind: "all" }],
    ["ALL", { kind: "all" }],
    ["0, all", { kind: "all" }],
    ["none", { kind: "none" }],
    ["none,all", { kind: "none" }],
    ["all,none", { kind: "all" }],
    ["0,1", { kind: "list", ids: ["0", "1"] }],
    [" 1 ,,0, 1,", { kind: "list", ids: ["1", "0"] }],
    [
      "GPU-8f,MIG-1,0:1,00000000:01:00.0",
      { kind: "list", ids: ["GPU-8f", "MIG-1", "0:1", "00000000:01:00.0"] },
    ],
    ["nvidia.com/gpu=0,0", { kind: "list", ids: ["0"] }],
    ["nvidia.com/gpu=all", { kind: "all" }],
    ["example.com/gpu=0", { kind: "list", ids: ["example.com/gpu=0"] }],
    ["../../etc,--device", { kind: "list", ids: ["../../etc", "--device"] }],
    ["", undefined],
    [",", undefined],
    ["void", undefined],
    ["0,void", undefined],
    ["all,void", undefined],
  ])("reads %j", (value, expected) => {
    expect(devicesOf(value)).toEqual(expected);
  });

  it("uses the last duplicate", () => {
    expect(ask([ALL, "NVIDIA_VISIBLE_DEVICES=void"]).request).toBeUndefined();
    expect(ask(["NVIDIA_VISIBLE_DEVICES=void", ALL]).request?.visibleDevices).toEqual({ kind: "all" });
  });

  it.each(["0\n1", "a\0b", "\u001b[2J", "\u0085x", "nvidia.com/gpu="])("refuses %j", (value) => {
    const error = catchError(() => devicesOf(value));
    expect(error.code).toBe("request-invalid");
    expect(error.message).toContain("NVIDIA_VISIBLE_DEVICES");
    expect(error.message).not.toMatch(/\p{Cc}/u);
    expect(error.message.length).toBeLessThan(300);
  });

  it("bounds the error for a long name", () => {
    expect(catchError(() => devicesOf(`${"x".repeat(65_000)}\n.`)).message.length).toBeLessThan(300);
  });

  it("treats many repetitions of a name as one", () => {
    expect(devicesOf("0,".repeat(32_768))).toEqual({ kind: "list", ids: ["0"] });
  });
});

describe("resolveRequest(): legacy images", () => {
  it("get all GPUs by default", () => {
    const { request } = ask(["CUDA_VERSION=8.0.61"]);
    expect(request).toMatchObject({
      visibleDevices: { kind: "all" },
      source: "CUDA_VERSION",
      legacyImage: true,
    });
  });

  it("get none if they request none", () => {
    expect(ask(["CUDA_VERSION=8.0.61", "NVIDIA_VISIBLE_DEVICES="]).request).toBeUndefined();
    expect(ask(["CUDA_VERSION=8.0.61", "NVIDIA_VISIBLE_DEVICES=void"]).request).toBeUndefined();
  });

  it("do not include modern images", () => {
    expect(ask(["CUDA_VERSION=12.4", "NVIDIA_REQUIRE_CUDA=cuda>=12.4"]).request).toBeUndefined();
    expect(ask([ALL, "CUDA_VERSION=12.4", "NVIDIA_REQUIRE_CUDA=cuda>=12.4"]).request?.legacyImage).toBe(
      false,
    );
  });
});

describe("resolveRequest(): variables of unprivileged containers that are not accepted", () => {
  it("are ignored with a finding", () => {
    const { request, findings } = ask([ALL], { policy: DISTRUST });
    expect(request).toBeUndefined();
    expect(findings).toMatchObject([
      { code: "request-denied-unprivileged", args: { variable: "NVIDIA_VISIBLE_DEVICES", value: "all" } },
    ]);
  });

  it("are ignored for a legacy image too", () => {
    const { request, findings } = ask(["CUDA_VERSION=8.0.61"], { policy: DISTRUST });
    expect(request).toBeUndefined();
    expect(findings).toMatchObject([{ args: { variable: "CUDA_VERSION" } }]);
  });

  it("are ignored without a finding if nothing was requested", () => {
    for (const value of ["", "void", "0,void"]) {
      const { request, findings } = ask([`NVIDIA_VISIBLE_DEVICES=${value}`], { policy: DISTRUST });
      expect([request, findings]).toEqual([undefined, []]);
    }
  });

  it("are accepted from privileged containers", () => {
    expect(ask([ALL], { ...PRIVILEGED, policy: DISTRUST }).request).toMatchObject({ privileged: true });
  });

  it("do not affect mounts", () => {
    const asking = { mounts: [`${ROOT}/0`], policy: { ...DISTRUST, ...BY_MOUNTS } };
    expect(ask([ALL], asking).request?.visibleDevices).toEqual({ kind: "list", ids: ["0"] });
  });
});

describe("resolveRequest(): swarm's variables", () => {
  const policy = { swarmResource: ["DOCKER_RESOURCE_GPU", "DOCKER_RESOURCE_MIG"] };

  it("replace NVIDIA_VISIBLE_DEVICES, all in the order of the configuration", () => {
    const { request } = ask([ALL, "DOCKER_RESOURCE_MIG=MIG-1", "DOCKER_RESOURCE_GPU=GPU-1, GPU-2"], {
      policy,
    });
    expect(request?.visibleDevices).toEqual({ kind: "list", ids: ["GPU-1", "GPU-2", "MIG-1"] });
    expect(request?.source).toBe("DOCKER_RESOURCE_GPU, DOCKER_RESOURCE_MIG");
  });

  it("replace it even if they are empty", () => {
    expect(ask([ALL, "DOCKER_RESOURCE_GPU="], { policy }).request).toBeUndefined();
    expect(ask(["CUDA_VERSION=8.0", "DOCKER_RESOURCE_GPU="], { policy }).request).toBeUndefined();
  });

  it("are ignored unless the configuration names them", () => {
    expect(ask(["DOCKER_RESOURCE_GPU=GPU-1"]).request).toBeUndefined();
    expect(ask([ALL, "DOCKER_RESOURCE_OTHER=1"], { policy }).request?.visibleDevices).toEqual({
      kind: "all",
    });
  });
});

describe("resolveRequest(): mounts", () => {
  const mounted = (mounts: readonly string[], env: readonly string[] = []) =>
    ask(env, { mounts, policy: BY_MOUNTS });

  it("are read in order, each device once, before any variable", () => {
    const { request } = mounted([`${ROOT}/1`, `${ROOT}/0`, `${ROOT}//1`], [ALL]);
    expect(request?.visibleDevices).toEqual({ kind: "list", ids: ["1", "0"] });
    expect(request?.source).toBe("volume-mounts");
  });

  it("are read only if the configuration allows it", () => {
    expect(ask([], { mounts: [`${ROOT}/0`] })).toEqual({ request: undefined, findings: [] });
  });

  it("leave the variables in effect if they name no device", () => {
    for (const mounts of [[], [ROOT], [`${ROOT}/imex/3`]]) {
      expect(mounted(mounts, [ALL]).request?.source).toBe("NVIDIA_VISIBLE_DEVICES");
    }
  });

  it("request nothing if one is void, whatever the variables say", () => {
    for (const mounts of [[`${ROOT}/void`], [`${ROOT}/0`, `${ROOT}/void`]]) {
      expect(mounted(mounts, [ALL])).toEqual({ request: undefined, findings: [] });
    }
  });

  it.each([
    ["all", { kind: "all" }],
    ["cdi/runtime.nvidia.com/gpu/tegra", { kind: "list", ids: ["tegra"] }],
    ["none", { kind: "none" }],
    ["cdi/nvidia.com/gpu/0", { kind: "list", ids: ["0"] }],
    ["cdi/nvidia.com/gpu=1", { kind: "list", ids: ["1"] }],
    ["cdi/example.com/gpu/x", { kind: "list", ids: ["example.com/gpu=x"] }],
    ["a/b", { kind: "list", ids: ["a/b"] }],
    ["0,1", { kind: "list", ids: ["0,1"] }],
  ])("accept the name %j", (name, expected) => {
    expect(mounted([`${ROOT}/${name}`]).request?.visibleDevices).toEqual(expected);
  });

  it.each([
    ["../../x", "parent-directory"],
    ["0/../1", "parent-directory"],
    ["..", "parent-directory"],
    ["a\nb", "control-character"],
    ["cdi", "cdi-name"],
    ["cdi/nvidia.com", "cdi-name"],
    ["cdi/nvidia.com/gpu", "cdi-name"],
    ["cdi/nvidia.com/gpu=", "cdi-name"],
    ["cdi/nvidia.com/gpu/0/1", "cdi-name"],
    ["imex", "imex-channel"],
    ["imex/x", "imex-channel"],
    ["imex/1048576", "imex-channel"],
    ["imex/1/2", "imex-channel"],
  ])("ignore the name %j", (name, reason) => {
    const { request, findings } = mounted([`${ROOT}/${name}`]);
    expect(request).toBeUndefined();
    expect(findings).toMatchObject([{ code: "request-volume-mount-ignored", args: { reason } }]);
    expect(findings[0]?.source).not.toContain("\n");
  });
});
