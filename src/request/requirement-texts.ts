import { NvociError } from "../model/errors.ts";
import { type Environment, LONGEST_VALUE } from "./environment.ts";
import { isLegacyImage, readLegacyRequirement } from "./legacy-image.ts";
import type { RequirementText } from "./request.ts";

const PREFIX = "NVIDIA_REQUIRE_";

/** Names that choose manifests on Jetson and are no conditions. */
const JETPACK_PREFIX = "NVIDIA_REQUIRE_JETPACK";

/** What counts as true, as Go's `strconv.ParseBool` has it. */
const TRUE = ["1", "t", "T", "TRUE", "true", "True"];

/** Images have three. */
const MOST_VARIABLES = 64;

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
export function readRequirementTexts(environment: Environment): readonly RequirementText[] {
  if (TRUE.includes(environment.get("NVIDIA_DISABLE_REQUIRE") ?? "")) return [];
  const texts: RequirementText[] = [];
  if (isLegacyImage(environment)) texts.push(readLegacyRequirement(environment));
  let length = 0;
  for (const [source, expression] of environment) {
    if (!source.startsWith(PREFIX) || source.startsWith(JETPACK_PREFIX)) continue;
    length += expression.length;
    if (texts.push({ source, expression }) > MOST_VARIABLES) refuse(`more than ${MOST_VARIABLES} variables`);
    if (length > LONGEST_VALUE) refuse(`more than ${LONGEST_VALUE} characters`);
  }
  return texts.sort((a, b) => (a.source < b.source ? -1 : 1));
}
