import fc from "fast-check";
import { expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../../src/config/config.ts";
import { DRIVER_CAPABILITIES } from "../../src/model/driver-capability.ts";
import { NvociError } from "../../src/model/errors.ts";
import { resolveRequest } from "../../src/request/resolve-request.ts";
import { mayRequestGpus } from "../../src/request/visible-devices.ts";
import { collectFindings } from "../support/cli/collect-findings.ts";

const name = fc.constantFrom(
  "NVIDIA_VISIBLE_DEVICES",
  "NVIDIA_DRIVER_CAPABILITIES",
  "NVIDIA_REQUIRE_CUDA",
  "NVIDIA_REQUIRE_JETPACK",
  "NVIDIA_REQUIRE_B",
  "NVIDIA_DISABLE_REQUIRE",
  "NVIDIA_IMEX_CHANNELS",
  "NVIDIA_MIG_CONFIG_DEVICES",
  "CUDA_VERSION",
  "DOCKER_RESOURCE_GPU",
  "PATH",
);
const word = fc.oneof(
  fc.constantFrom(
    "",
    "all",
    "void",
    "none",
    "0",
    "1",
    " 0 ",
    "compute",
    "video",
    "1",
    "10.2",
    "csv-mounts=all",
    "..",
  ),
  fc.string({ maxLength: 6, unit: "binary" }),
);
const value = fc.array(word, { maxLength: 4 }).map((words) => words.join(","));
const env = fc.array(
  fc.oneof({ weight: 6, arbitrary: fc.tuple(name, value).map(([n, v]) => `${n}=${v}`) }, fc.string()),
  { maxLength: 8 },
);
const destination = fc.oneof(
  fc
    .array(fc.oneof(word, fc.constantFrom("imex", "cdi", "nvidia.com", "gpu=1")), { maxLength: 4 })
    .map((parts) => `/var/run/nvidia-container-devices/${parts.join("/")}`),
  fc.string(),
);
const mounts = fc.array(
  fc.record({ destination, source: fc.constantFrom("/dev/null", "/dev/null", "/dev/zero", undefined) }),
  { maxLength: 4 },
);
const spec = fc.record({
  env,
  mounts,
  boundingCapabilities: fc.constantFrom([], ["CAP_SYS_ADMIN"]),
});
const policy = fc
  .record({
    acceptNvidiaVisibleDevicesAsVolumeMounts: fc.boolean(),
    acceptNvidiaVisibleDevicesEnvvarWhenUnprivileged: fc.boolean(),
    disableRequire: fc.boolean(),
    supportedDriverCapabilities: fc.subarray([...DRIVER_CAPABILITIES]),
    swarmResource: fc.subarray(["DOCKER_RESOURCE_GPU", "DOCKER_RESOURCE_B"]),
    features: fc.record({ ignoreImexChannelRequests: fc.boolean() }),
  })
  .map((some) => ({ ...DEFAULT_CONFIG, ...some }));

it("resolveRequest() neither provides for nor refuses a container that mayRequestGpus() rules out", () => {
  fc.assert(
    fc.property(spec, policy, (spec, policy) => {
      if (!mayRequestGpus(spec))
        expect(collectFindings((report) => resolveRequest(spec, policy, report))).toEqual({
          value: undefined,
          findings: [],
        });
    }),
    { numRuns: 2000 },
  );
});

it("resolveRequest() returns only what is allowed, each once, or refuses in one printable line", () => {
  fc.assert(
    fc.property(spec, policy, (spec, policy) => {
      try {
        const request = resolveRequest(spec, policy, () => {});
        if (!request) return;
        if (request.visibleDevices.kind === "list") {
          expect(request.visibleDevices.ids.length).toBeGreaterThan(0);
          expect(new Set(request.visibleDevices.ids).size).toBe(request.visibleDevices.ids.length);
        }
        expect(policy.supportedDriverCapabilities).toEqual(
          expect.arrayContaining([...request.driverCapabilities]),
        );
        expect([...request.driverCapabilities].sort()).toEqual(request.driverCapabilities);
        const sources = request.requirements.map((requirement) => requirement.source);
        expect([...new Set(sources)].sort()).toEqual(sources);
        if (!request.privileged) expect(request.migConfigDevices).toBeUndefined();
      } catch (error) {
        if (!(error instanceof NvociError)) throw error;
        expect(error.code).toBe("request-invalid");
        expect(error.message).toMatch(/^Cannot \P{Cc}{1,300}$/u);
      }
    }),
    { numRuns: 3000 },
  );
});

it("resolveRequest() does not depend on the order of different variables", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(name),
      fc.array(value, { minLength: 11, maxLength: 11 }),
      policy,
      (names, values, policy) => {
        const entries = names.map((variable, index) => `${variable}=${values[index]}`);
        const outcome = (env: readonly string[]) => {
          try {
            return collectFindings((report) =>
              resolveRequest({ env, mounts: [], boundingCapabilities: [] }, policy, report),
            );
          } catch (error) {
            return String(error);
          }
        };
        expect(outcome([...entries].reverse())).toEqual(outcome(entries));
      },
    ),
    { numRuns: 1000 },
  );
});
