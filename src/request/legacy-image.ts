import { NvociError } from "../model/errors.ts";
import { quote } from "../model/quote.ts";
import type { Environment } from "./environment.ts";
import type { RequirementText } from "./request.ts";

/** Whether the image is from the time before `NVIDIA_REQUIRE_CUDA`: such images get all GPUs without asking. */
export const isLegacyImage = (environment: Environment): boolean =>
  (environment.get("CUDA_VERSION") ?? "") !== "" && (environment.get("NVIDIA_REQUIRE_CUDA") ?? "") === "";

const VERSION = /^v?(\d{1,10})(?:\.(\d{1,10}))?(?:\.(\d{1,10}))?$/;
const LARGEST_PART = 0xffff_ffff;

/**
 * The requirement that a legacy image's `CUDA_VERSION` stands for: `cuda>=10.2` for `10.2.89`.
 *
 * @throws NvociError `request-invalid` for a version that is not one to three numbers.
 */
export function readLegacyRequirement(environment: Environment): RequirementText {
  const version = environment.get("CUDA_VERSION") ?? "";
  const parts = VERSION.exec(version)?.slice(1) ?? [];
  const [major, minor] = parts.map((part) => Number(part ?? 0));
  if (major === undefined || parts.some((part) => Number(part ?? 0) > LARGEST_PART)) {
    throw new NvociError(
      "request-invalid",
      `Cannot read CUDA_VERSION ${quote(version)}: it must be a version such as 10.2 or 10.2.89`,
    );
  }
  return { source: "CUDA_VERSION", expression: `cuda>=${major}.${minor}` };
}
