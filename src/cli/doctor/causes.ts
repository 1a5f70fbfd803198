import type { Check, CheckCode, CheckStatus } from "../../model/check.ts";

/** Problems of what a container gets: consequences of any problem of the driver or of the manifests as a whole. */
const CONTENT: readonly CheckCode[] = [
  "library-unlisted",
  "library-missing",
  "node-missing",
  "node-unlisted",
  "plan-impossible",
  "trial-failed",
];

/** What a manifest that is not read leaves out. */
const UNLISTED: readonly CheckCode[] = ["library-unlisted", "node-unlisted", "trial-failed"];

/** What follows from what: a code, and the codes that only repeat it. */
const CONSEQUENCES: Partial<Readonly<Record<CheckCode, readonly CheckCode[]>>> = {
  "manifests-writable": ["manifests-none", "manifest", ...UNLISTED],
  "manifests-unreadable": ["manifests-none", "manifest", ...UNLISTED],
  "manifests-none": ["manifest", ...UNLISTED],
  "release-mismatch": ["manifest", ...CONTENT],
  "driver-missing": ["gpu-none", "libraries-none", ...CONTENT],
  "driver-absent": ["gpu-none", "libraries-none", ...CONTENT],
  "driver-mismatch": ["libraries-none", ...CONTENT],
  "gpu-none": ["plan-impossible"],
  "libraries-none": ["library-missing"],
  "node-missing": ["plan-impossible", "trial-failed"],
  "node-later": ["plan-impossible", "trial-failed"],
  "library-empty": ["trial-failed"],
  "library-damaged": ["trial-failed"],
  "plan-impossible": ["trial-failed"],
  "config-invalid": ["plan-impossible", "trial-failed"],
  "docker-default-unknown": ["docker-not-default"],
  "docker-runtime-unregistered": ["docker-not-default"],
  "docker-runtime-unloaded": ["docker-not-default"],
};

const RANKS: readonly CheckStatus[] = ["fail", "warn", "ok"];

const isProblem = ({ status }: Check): boolean => status !== "ok";

/**
 * Leaves out the problems that only follow from others, and puts causes first: failures, then warnings, then what is
 * well. A cause is as bad as the worst of its consequences.
 *
 * A device node that will be created does not make what follows from it a failure.
 */
export function onlyCauses(checks: readonly Check[]): readonly Check[] {
  const problems = checks.filter(isProblem);
  const followsFrom = (cause: Check, code: CheckCode): boolean =>
    CONSEQUENCES[cause.code]?.includes(code) === true && cause.code !== code;
  const kept = checks.filter(
    (one) => !isProblem(one) || !problems.some((cause) => followsFrom(cause, one.code)),
  );
  const raised = kept.map((one) => {
    const isCauseOfFailure = problems.some(({ status, code }) => status === "fail" && followsFrom(one, code));
    return isCauseOfFailure && isProblem(one) && one.code !== "node-later"
      ? ({ ...one, status: "fail" } as Check)
      : one;
  });
  return RANKS.flatMap((rank) => raised.filter(({ status }) => status === rank));
}
