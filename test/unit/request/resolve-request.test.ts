import { describe, expect, it } from "vitest";
import type { DriverCapability } from "../../../src/model/driver-capability.ts";
import { ALL, type Asking, ask, PRIVILEGED } from "../../support/cli/ask.ts";
import { catchError } from "../../support/cli/catch-error.ts";

const EVERYTHING = ["compat32", "compute", "display", "graphics", "ngx", "utility", "video"];

const request = (env: readonly string[], asking: Asking = {}) => ask([ALL, ...env], asking).request;
const refusal = (env: readonly string[], asking: Asking = {}) => catchError(() => request(env, asking));

describe("resolveRequest(): NVIDIA_DRIVER_CAPABILITIES", () => {
  const capabilities = (value: string, supported?: readonly DriverCapability[]) =>
    request(
      [`NVIDIA_DRIVER_CAPABILITIES=${value}`],
      supported ? { policy: { supportedDriverCapabilities: supported } } : {},
    )?.driverCapabilities;

  it.each([
    ["", ["compute", "utility"]],
    [" , ", ["compute", "utility"]],
    ["all", EVERYTHING],
    ["compute,all", EVERYTHING],
    ["utility,compute", ["compute", "utility"]],
    [" video , graphics,video", ["graphics", "video"]],
    ["ngx", ["ngx"]],
  ])("reads %j", (value, expected) => {
    expect(capabilities(value)).toEqual(expected);
  });

  it("defaults to compute and utility", () => {
    expect(request([])?.driverCapabilities).toEqual(["compute", "utility"]);
  });

  it("defaults to everything for a legacy image", () => {
    expect(request(["CUDA_VERSION=8.0"])?.driverCapabilities).toEqual(EVERYTHING);
    expect(request(["CUDA_VERSION=8.0", "NVIDIA_DRIVER_CAPABILITIES="])?.driverCapabilities).toEqual([
      "compute",
      "utility",
    ]);
  });

  it("returns only supported capabilities for all", () => {
    expect(capabilities("all", ["video", "compute"])).toEqual(["compute", "video"]);
    expect(capabilities("", ["video", "compute"])).toEqual(["compute"]);
    expect(capabilities("all", [])).toEqual([]);
    expect(capabilities("", [])).toEqual([]);
  });

  it.each([
    "grapics",
    "COMPUTE",
    "compute utility",
    "compute --debug=/x",
    "utility,all,x\ny",
    "void",
  ])("refuses %j", (value) => {
    const error = catchError(() => capabilities(value));
    expect(error.code).toBe("request-invalid");
    expect(error.message).toContain("NVIDIA_DRIVER_CAPABILITIES");
    expect(error.message).toContain("compat32, compute, display");
    expect(error.message).not.toContain("\n");
  });

  it("refuses a known capability that is not supported, and names the supported ones", () => {
    const error = catchError(() => capabilities("compute,graphics", ["compute"]));
    expect(error.code).toBe("request-invalid");
    expect(error.message).toMatch(/"graphics".*the supported ones are compute$/);
    expect(catchError(() => capabilities("compute", [])).message).toContain("allows none");
  });

  it("is read only for a container that requests GPUs", () => {
    expect(ask(["NVIDIA_DRIVER_CAPABILITIES=nonsense"]).request).toBeUndefined();
  });
});

describe("resolveRequest(): requirements", () => {
  it("are read by name, empty ones included, except JetPack's", () => {
    const env = [
      "NVIDIA_REQUIRE_DRIVER=driver>=470",
      "NVIDIA_REQUIRE_CUDA=cuda>=12.4 brand=tesla",
      "NVIDIA_REQUIRE_=",
      "NVIDIA_REQUIRE_JETPACK=csv-mounts=all",
      "NVIDIA_REQUIRE_JETPACK_HOST_MOUNTS=",
      "NVIDIA_REQUIREX=1",
    ];
    expect(request(env)?.requirements).toEqual([
      { source: "NVIDIA_REQUIRE_", expression: "" },
      { source: "NVIDIA_REQUIRE_CUDA", expression: "cuda>=12.4 brand=tesla" },
      { source: "NVIDIA_REQUIRE_DRIVER", expression: "driver>=470" },
    ]);
  });

  it.each([
    ["10.2.89", "cuda>=10.2"],
    ["8.0", "cuda>=8.0"],
    ["11", "cuda>=11.0"],
    ["v9.1.85", "cuda>=9.1"],
    ["4294967295.0", "cuda>=4294967295.0"],
  ])("are derived from CUDA_VERSION %j of a legacy image", (version, expression) => {
    expect(request([`CUDA_VERSION=${version}`, "NVIDIA_REQUIRE_Z=z"])?.requirements).toEqual([
      { source: "CUDA_VERSION", expression },
      { source: "NVIDIA_REQUIRE_Z", expression: "z" },
    ]);
  });

  it.each([
    "foo",
    "10.2.89.1",
    "10.",
    ".2",
    "10.2-rc1",
    " 10.2",
    "4294967296",
    "10.99999999999",
    "vv1",
    "1.0\n",
  ])("refuse CUDA_VERSION %j", (version) => {
    const error = refusal([`CUDA_VERSION=${version}`]);
    expect(error.code).toBe("request-invalid");
    expect(error.message).toContain("CUDA_VERSION");
  });

  it("are ignored if the image or the configuration disables them", () => {
    for (const word of ["1", "t", "T", "TRUE", "true", "True"]) {
      expect(request(["NVIDIA_REQUIRE_CUDA=x", `NVIDIA_DISABLE_REQUIRE=${word}`])?.requirements).toEqual([]);
    }
    expect(request(["NVIDIA_REQUIRE_CUDA=x"], { policy: { disableRequire: true } })?.requirements).toEqual(
      [],
    );
    expect(request(["CUDA_VERSION=bad", "NVIDIA_DISABLE_REQUIRE=1"])?.requirements).toEqual([]);
  });

  it("are kept for any value but a true one", () => {
    for (const word of ["0", "f", "false", "", "yes", "tRUE", " 1"]) {
      expect(request(["NVIDIA_REQUIRE_CUDA=x", `NVIDIA_DISABLE_REQUIRE=${word}`])?.requirements).toHaveLength(
        1,
      );
    }
    expect(request(["NVIDIA_REQUIRE_CUDA=x", "NVIDIA_DISABLE_REQUIRES=1"])?.requirements).toHaveLength(1);
  });
});

describe("resolveRequest(): NVIDIA_REQUIRE_JETPACK", () => {
  it.each([
    ["csv-mounts=all", "all"],
    ["csv-mounts=base", "base"],
    ["base-only", "base"],
    ["", undefined],
    ["csv-mounts=all ", undefined],
    ["csv-mounts=ALL", undefined],
    ["all", undefined],
    ["constructor", undefined],
  ])("reads %j", (value, expected) => {
    expect(request([`NVIDIA_REQUIRE_JETPACK=${value}`])?.csvMounts).toBe(expected);
  });
});

describe("resolveRequest() bounds an image's variables:", () => {
  const channels = (count: number) => Array.from({ length: count }, (_, index) => index);

  it("only mounts and privileged containers may have IMEX channels created on the host", () => {
    const env = ["NVIDIA_IMEX_CHANNELS=1"];
    expect(request(env)?.mayCreateImexChannels).toBe(false);
    expect(request(env, PRIVILEGED)?.mayCreateImexChannels).toBe(true);
    const asking = {
      mounts: ["/var/run/nvidia-container-devices/imex/7"],
      policy: { acceptNvidiaVisibleDevicesAsVolumeMounts: true },
    };
    expect(request(env, asking)?.mayCreateImexChannels).toBe(true);
  });

  it("any container gets at most 64 IMEX channels", () => {
    expect(request([`NVIDIA_IMEX_CHANNELS=${channels(64)}`])?.imexChannels).toHaveLength(64);
    const byVariable = refusal([`NVIDIA_IMEX_CHANNELS=${channels(65)}`]);
    expect(byVariable.message).toContain("65 IMEX channels");
    expect(byVariable.message).toContain("NVIDIA_IMEX_CHANNELS may request at most 64");
    const byMounts = refusal([], {
      mounts: channels(65).map((channel) => `/var/run/nvidia-container-devices/imex/${channel}`),
      policy: { acceptNvidiaVisibleDevicesAsVolumeMounts: true },
    });
    expect(byMounts.message).toContain("volume-mounts may request at most 64");
  });

  it("features come only from a trusted environment", () => {
    const env = ["NVIDIA_GDS=enabled", "NVIDIA_MOFED=enabled", "NVIDIA_NVSWITCH=disabled"];
    expect(request(env)?.serverFeatures).toEqual(["gds", "mofed"]);
    const untrusted = {
      mounts: ["/var/run/nvidia-container-devices/0"],
      policy: {
        acceptNvidiaVisibleDevicesAsVolumeMounts: true,
        acceptNvidiaVisibleDevicesEnvvarWhenUnprivileged: false,
      },
    };
    const { request: given, findings } = ask(env, untrusted);
    expect(given?.serverFeatures).toEqual([]);
    expect(findings.map(({ code, args }) => [code, args])).toEqual([
      ["request-denied-unprivileged", { variable: "NVIDIA_GDS", value: "enabled" }],
      ["request-denied-unprivileged", { variable: "NVIDIA_MOFED", value: "enabled" }],
    ]);
    expect(ask(env, { ...untrusted, ...PRIVILEGED }).request?.serverFeatures).toEqual(["gds", "mofed"]);
  });

  it.each([
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
    "NVIDIA_REQUIRE_CUDA",
    "NVIDIA_X",
  ])("a value of %s may have at most 65536 characters", (name) => {
    expect(refusal([`${name}=${"x".repeat(65_537)}`])).toMatchObject({
      code: "request-invalid",
      message: `Cannot read the container's variable "${name}": its value is longer than 65536 characters`,
    });
  });

  it("unrelated variables may have any length", () => {
    expect(request([`MODEL=${"x".repeat(1_000_000)}`])?.visibleDevices).toEqual({ kind: "all" });
  });

  it("requirements may be 64 conditions of 65536 characters together", () => {
    const conditions = (count: number, value: string) =>
      Array.from({ length: count }, (_, index) => `NVIDIA_REQUIRE_${index}=${value}`);
    expect(request(conditions(64, "cuda>=1"))?.requirements).toHaveLength(64);
    expect(refusal(conditions(65, "")).message).toContain("there are more than 64");
    expect(refusal(conditions(3, "c".repeat(30_000))).message).toContain("more than 65536 characters");
  });

  it("the first of many meaningless mounts is reported with a count of the others", () => {
    const { findings } = ask([ALL], {
      mounts: Array.from(
        { length: 70_000 },
        (_, index) => `/var/run/nvidia-container-devices/imex/x${index}`,
      ),
      policy: { acceptNvidiaVisibleDevicesAsVolumeMounts: true },
    });
    expect(findings).toHaveLength(17);
    expect(findings.at(-1)).toMatchObject({ code: "findings-left-out", args: { count: 69_984 } });
  });
});

describe("resolveRequest(): IMEX channels", () => {
  const ROOT = "/var/run/nvidia-container-devices/imex";
  const byMounts = { acceptNvidiaVisibleDevicesAsVolumeMounts: true };

  it("are read from the variable", () => {
    expect(request(["NVIDIA_IMEX_CHANNELS= 3,0,3, 1048575"])?.imexChannels).toEqual([3, 0, 1048575]);
    expect(request(["NVIDIA_IMEX_CHANNELS=all"])?.imexChannels).toEqual([]);
    expect(request([])?.imexChannels).toEqual([]);
  });

  it("are read from mounts first", () => {
    const asking = { mounts: [`${ROOT}/7`, `${ROOT}/2`], policy: byMounts };
    expect(request(["NVIDIA_IMEX_CHANNELS=1"], asking)?.imexChannels).toEqual([7, 2]);
  });

  it.each(["1048576", "-1", "1.5", "0x1", "all,1", "x", "99999999999999999999"])("refuse %j", (value) => {
    expect(refusal([`NVIDIA_IMEX_CHANNELS=${value}`]).code).toBe("request-invalid");
  });

  it("are ignored if the configuration disables them", () => {
    const features = { ignoreImexChannelRequests: true };
    expect(request(["NVIDIA_IMEX_CHANNELS=x"], { policy: { features } })?.imexChannels).toEqual([]);
    const asking = { mounts: [`${ROOT}/7`], policy: { ...byMounts, features } };
    expect(request([], asking)?.imexChannels).toEqual([]);
  });

  it("are not read from the variables of an untrusted unprivileged container", () => {
    const policy = { ...byMounts, acceptNvidiaVisibleDevicesEnvvarWhenUnprivileged: false };
    const { request, findings } = ask(["NVIDIA_IMEX_CHANNELS=1"], {
      mounts: ["/var/run/nvidia-container-devices/0"],
      policy,
    });
    expect(request?.imexChannels).toEqual([]);
    expect(findings).toMatchObject([
      { code: "request-denied-unprivileged", args: { variable: "NVIDIA_IMEX_CHANNELS" } },
    ]);
  });
});

describe.each([
  "NVIDIA_MIG_CONFIG_DEVICES",
  "NVIDIA_MIG_MONITOR_DEVICES",
])("resolveRequest(): %s", (variable) => {
  const field = variable === "NVIDIA_MIG_CONFIG_DEVICES" ? "migConfigDevices" : "migMonitorDevices";

  it("is read for a privileged container", () => {
    expect(request([`${variable}=all`], PRIVILEGED)).toMatchObject({ [field]: "all" });
    expect(request([`${variable}= `], PRIVILEGED)).toMatchObject({ [field]: undefined });
  });

  it("is refused for any other container", () => {
    expect(refusal([`${variable}=all`])).toMatchObject({ code: "request-invalid" });
    expect(request([`${variable}=`])).toMatchObject({ [field]: undefined });
  });

  it("refuses a single device", () => {
    expect(refusal([`${variable}=0`], PRIVILEGED)).toMatchObject({ code: "request-invalid" });
  });
});

it("resolveRequest() treats a container as privileged only with CAP_SYS_ADMIN", () => {
  expect(request([], PRIVILEGED)?.privileged).toBe(true);
  expect(request([], { capabilities: ["CAP_SYS_PTRACE", "cap_sys_admin"] })?.privileged).toBe(false);
});
