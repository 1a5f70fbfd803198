import { NvociError } from "../model/errors.ts";
import { parseBoolean, quote } from "../text/quote.ts";
import { type Environment, MAX_VALUE_CHARACTERS } from "./environment.ts";
import type { RequirementText } from "./request.ts";

/**
 * Reports whether the image was built before `NVIDIA_REQUIRE_CUDA` existed; such images get all GPUs by default.
 */
export const isLegacyImage = (environment: Environment): boolean =>
  (environment.get("CUDA_VERSION") ?? "") !== "" && (environment.get("NVIDIA_REQUIRE_CUDA") ?? "") === "";

const VERSION = /^v?(\d{1,10})(?:\.(\d{1,10}))?(?:\.(\d{1,10}))?$/;
const MAX_PART = 0xffff_ffff;

/**
 * Returns the requirement of a legacy image's `CUDA_VERSION`: `cuda>=10.2` for `10.2.89`.
 *
 * @throws {NvociError} "request-invalid" when the version is not one to three numbers.
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

/** Prefix of variables that select manifests on Jetson and are not requirements. */
const JETPACK_PREFIX = "NVIDIA_REQUIRE_JETPACK";

/** Real images have three. */
const MAX_VARIABLES = 64;

function refuse(reason: string): never {
  throw new NvociError("request-invalid", `Cannot check the container's ${PREFIX}* variables: ${reason}`);
}

/**
 * Returns the requirements of an image for its host, sorted by variable: every variable that starts with
 * `NVIDIA_REQUIRE_` but not with `NVIDIA_REQUIRE_JETPACK`, and the `CUDA_VERSION` of a legacy image. Returns none
 * if `NVIDIA_DISABLE_REQUIRE` is true.
 *
 * @throws {NvociError} "request-invalid" when a legacy image's `CUDA_VERSION` is not a version, or the
 * requirements are more than 64 variables or 65,536 characters.
 */
export function requirementTexts(environment: Environment): readonly RequirementText[] {
  if (parseBoolean(environment.get("NVIDIA_DISABLE_REQUIRE") ?? "") === true) return [];
  const texts: RequirementText[] = [];
  if (isLegacyImage(environment)) texts.push(legacyRequirement(environment));
  let length = 0;
  for (const [source, expression] of environment) {
    if (!source.startsWith(PREFIX) || source.startsWith(JETPACK_PREFIX)) continue;
    length += expression.length;
    if (texts.push({ source, expression }) > MAX_VARIABLES) refuse(`there are more than ${MAX_VARIABLES}`);
    if (length > MAX_VALUE_CHARACTERS) refuse(`they have more than ${MAX_VALUE_CHARACTERS} characters`);
  }
  return texts.sort((a, b) => (a.source < b.source ? -1 : 1));
}
