import type { DriverCapability } from "../model/driver-capability.ts";
import { type Finding, finding, type Report } from "../model/finding.ts";
import { splitList } from "../text/quote.ts";
import {
  FEATURE_VARIABLES,
  parseDriverCapabilities,
  parseMigDevices,
  requestedFeatures,
} from "./driver-capabilities.ts";
import { checkValueLengths, type Environment, parseCsvMounts, parseEnvironment } from "./environment.ts";
import type { Request, RequestSource } from "./request.ts";
import { isLegacyImage, requirementTexts } from "./requirement-texts.ts";
import { parseVisibleDevices, requestsDevices } from "./visible-devices.ts";
import { checkChannelCount, parseImexChannels, parseVolumeMounts } from "./volume-mounts.ts";

/** A container's configuration, with its bounding capabilities. */
interface RequestSpec extends RequestSource {
  readonly boundingCapabilities: readonly string[];
}

/** The part of config.toml that decides what a container may request. */
export interface RequestPolicy {
  readonly acceptNvidiaVisibleDevicesAsVolumeMounts: boolean;
  readonly acceptNvidiaVisibleDevicesEnvvarWhenUnprivileged: boolean;
  readonly disableRequire: boolean;
  readonly supportedDriverCapabilities: readonly DriverCapability[];
  readonly swarmResource: readonly string[];
  readonly features: { readonly ignoreImexChannelRequests: boolean };
  readonly nvidiaContainerRuntime: { readonly modes: { readonly cdi: { readonly defaultKind: string } } };
}

/** A list of requested devices, and where it comes from. */
interface DeviceWords {
  readonly words: readonly string[];
  readonly source: string;
}

/**
 * Reads a container's request: from its mounts if the configuration accepts them, else from its variables if the
 * container is privileged or the configuration trusts variables.
 *
 * A container that requests GPUs it may not have starts without them, and a finding is reported.
 *
 * @returns `undefined` when the container requests nothing, or nothing that it may have.
 * @throws {NvociError} "request-invalid" when the request is invalid.
 */
export function resolveRequest(
  spec: RequestSpec,
  policy: RequestPolicy,
  report: Report,
): Request | undefined {
  const environment = parseEnvironment(spec.env);
  checkValueLengths(environment);
  const privileged = spec.boundingCapabilities.includes("CAP_SYS_ADMIN");
  const trusted = privileged || policy.acceptNvidiaVisibleDevicesEnvvarWhenUnprivileged;
  const mounted = parseVolumeMounts(
    policy.acceptNvidiaVisibleDevicesAsVolumeMounts ? spec.mounts : [],
    report,
  );

  let asked: DeviceWords = { words: mounted.devices, source: "volume-mounts" };
  // The mount `void` requests nothing, as the variable does, and takes precedence like any other device mount.
  if (asked.words.length === 0) {
    asked = readDeviceWords(environment, policy.swarmResource);
    if (requestsDevices(asked.words) && !trusted) {
      report(denied(asked.source, asked.words.join(",")));
      return undefined;
    }
  }
  const cdiKind = policy.nvidiaContainerRuntime.modes.cdi.defaultKind;
  const visibleDevices = parseVisibleDevices(asked.words, asked.source, cdiKind);
  if (!visibleDevices) return undefined;

  let imexChannels = mounted.imexChannels;
  let imexSource = "volume-mounts";
  const imexVariable = environment.get("NVIDIA_IMEX_CHANNELS") ?? "";
  if (policy.features.ignoreImexChannelRequests) imexChannels = [];
  else if (imexChannels.length === 0 && trusted) {
    imexChannels = parseImexChannels(imexVariable);
    imexSource = "NVIDIA_IMEX_CHANNELS";
  } else if (imexChannels.length === 0 && imexVariable !== "") {
    report(denied("NVIDIA_IMEX_CHANNELS", imexVariable));
  }
  checkChannelCount(imexChannels, imexSource);

  const serverFeatures = requestedFeatures(environment);
  if (!trusted) {
    for (const feature of serverFeatures) report(denied(FEATURE_VARIABLES[feature], "enabled"));
  }

  const legacyImage = isLegacyImage(environment);
  return {
    visibleDevices,
    source: asked.source,
    driverCapabilities: parseDriverCapabilities(
      environment.get("NVIDIA_DRIVER_CAPABILITIES"),
      legacyImage,
      policy.supportedDriverCapabilities,
    ),
    requirements: policy.disableRequire ? [] : requirementTexts(environment),
    csvMounts: parseCsvMounts(environment),
    imexChannels,
    mayCreateImexChannels: privileged || imexSource === "volume-mounts",
    serverFeatures: trusted ? serverFeatures : [],
    migConfigDevices: parseMigDevices(environment, "NVIDIA_MIG_CONFIG_DEVICES", privileged),
    migMonitorDevices: parseMigDevices(environment, "NVIDIA_MIG_MONITOR_DEVICES", privileged),
    legacyImage,
    privileged,
  };
}

const denied = (variable: string, value: string): Finding =>
  finding("request-denied-unprivileged", "warning", variable, { variable, value });

/** Returns the devices of all swarm variables that are set, or else of NVIDIA_VISIBLE_DEVICES. */
function readDeviceWords(environment: Environment, swarmResource: readonly string[]): DeviceWords {
  const swarm = swarmResource.filter((variable) => environment.has(variable));
  if (swarm.length > 0) {
    const value = swarm.map((variable) => environment.get(variable)).join(",");
    return { words: splitList(value), source: swarm.join(", ") };
  }
  const value = environment.get("NVIDIA_VISIBLE_DEVICES");
  if (value !== undefined) return { words: splitList(value), source: "NVIDIA_VISIBLE_DEVICES" };
  return { words: isLegacyImage(environment) ? ["all"] : [], source: "CUDA_VERSION" };
}
