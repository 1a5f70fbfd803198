import { NvociError } from "../model/errors.ts";
import { parseBoolean, quote } from "../text/quote.ts";
import { type Environment, MAX_VALUE_CHARACTERS } from "./environment.ts";
import type { RequirementText } from "./request.ts";

/** Whether the image is from the time before `NVIDIA_REQUIRE_CUDA`: such images get all GPUs without asking. */
export const isLegacyImage = (environment: Environment): boolean =>
  (environment.get("CUDA_VERSION") ?? "") !== "" && (environment.get("NVIDIA_REQUIRE_CUDA") ?? "") === "";

const VERSION = /^v?(\d{1,10})(?:\.(\d{1,10}))?(?:\.(\d{1,10}))?$/;
const MAX_PART = 0xffff_ffff;

/**
 * The requirement that a legacy image's `CUDA_VERSION` stands for: `cuda>=10.2` for `10.2.89`.
 *
 * @throws NvociError `request-invalid` for a version that is not one to three numbers.
 */
function legacyRequirement(environment: Environment): RequirementText {
  const version = environment.get("CUDA_VERSION") ?? "";
  const parts = VERSION.exec(version)?.slice(1) ?? [];
  const [major, minor] = parts.map((part) => Number(part ?? 0));
  if (major === undefined || parts.some((part) => Number(part ?? 0) > MAX_PART)) {
    throw new NvociError(
      "request-invalid",
      `Cannot read CUDA_VERSION ${quote(version)}: it must be a version such as 10.2 or 10.2.89`,
    );
  }
  return { source: "CUDA_VERSION", expression: `cuda>=${major}.${minor}` };
}

const PREFIX = "NVIDIA_REQUIRE_";

/** Names that choose manifests on Jetson and are no conditions. */
const JETPACK_PREFIX = "NVIDIA_REQUIRE_JETPACK";

/** Images have three. */
const MAX_VARIABLES = 64;

function refuse(excess: string): never {
  throw new NvociError("request-invalid", `Cannot check ${PREFIX}* of the container: they are ${excess}`);
}

/**
 * The conditions that an image sets on its host, in the order of the variables' names: every name that starts with `NVIDIA_REQUIRE_`
 * but not with `NVIDIA_REQUIRE_JETPACK`, and `CUDA_VERSION` of a legacy image. None where `NVIDIA_DISABLE_REQUIRE` is true.
 *
 * @throws NvociError `request-invalid` for a legacy image's `CUDA_VERSION` that is no version, and for more conditions
 * than an image can mean.
 */
export function requirementTexts(environment: Environment): readonly RequirementText[] {
  if (parseBoolean(environment.get("NVIDIA_DISABLE_REQUIRE") ?? "") === true) return [];
  const texts: RequirementText[] = [];
  if (isLegacyImage(environment)) texts.push(legacyRequirement(environment));
  let length = 0;
  for (const [source, expression] of environment) {
    if (!source.startsWith(PREFIX) || source.startsWith(JETPACK_PREFIX)) continue;
    length += expression.length;
    if (texts.push({ source, expression }) > MAX_VARIABLES) refuse(`more than ${MAX_VARIABLES} variables`);
    if (length > MAX_VALUE_CHARACTERS) refuse(`more than ${MAX_VALUE_CHARACTERS} characters`);
  }
  return texts.sort((a, b) => (a.source < b.source ? -1 : 1));
}
