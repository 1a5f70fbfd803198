import { readFileSync } from "node:fs";
import { join } from "node:path";
import { putThingsInTheWay } from "../test/support/host/things-in-the-way.ts";
import type { Attack } from "./attack.ts";
import { choiceOf, type Point, recordPoints, tampered } from "./points.ts";
import { difference, endFaults, openTarget, type Target } from "./target.ts";

const ERRORS = ["EIO", "ENOMEM", "EACCES", "ENOSPC", "EBUSY", "EINTR", "ENOENT", "EMFILE"] as const;
type ErrorName = (typeof ERRORS)[number];

/** Calls that only look, at the host's files among others. */
const LOOKS = ["openat", "openat2", "newfstatat", "statx", "readlinkat", "getdents64", "read", "pread64"];
/**
 * What these calls find out with an error: how the host or the image is. A container may get less then, with a finding.
 * EIO, ENOMEM and EMFILE are never an answer.
 */
const answers = (call: string): readonly ErrorName[] =>
  LOOKS.includes(call) ? ["ENOENT", "EACCES", "EBUSY", "ENOSPC", "EINTR"] : ["ENOENT", "EACCES", "EBUSY"];

/** Calls that do not fail on a kernel, or whose failure the engine alone sees. */
const NEVER_FAIL = [
  "close",
  "munmap",
  "brk",
  "getpid",
  "gettid",
  "set_tid_address",
  "arch_prctl",
  "set_robust_list",
  // They answer with the id that was, whatever comes of it.
  "setfsuid",
  "setfsgid",
];

interface Failure {
  readonly hook: readonly string[];
  readonly point: Point;
  readonly error: ErrorName;
}

/**
 * Each system call of the hook and of its children fails once, with each of several errors. Container and host must be
 * as before, or the container as without the failure.
 */
export const errors: Attack = {
  name: "errors",
  async open(build) {
    const target = await openTarget(build, putThingsInTheWay);
    const log = join(target.canary, "../strace");
    const finished: (readonly string[])[] = [];
    const failures: Failure[] = [];
    for (const hook of target.hooks) {
      target.makeBundle();
      const container = await target.openContainer();
      // What ldconfig makes of an error is its own affair.
      const points = recordPoints(container.run, hook, log).filter(
        ({ call, of }) => of !== "program" && !NEVER_FAIL.includes(call),
      );
      for (const point of points) for (const error of ERRORS) failures.push({ hook, point, error });
      finished.push(container.snapshot());
      container.close();
    }
    return {
      count: failures.length,
      async trial(seed) {
        const failure = choiceOf(failures, seed);
        const { point, error, hook } = failure;
        const faults = await failAt(target, failure, log, finished[target.hooks.indexOf(hook)] ?? []);
        return faults.map((fault) => `${point.call} ${point.when} ${error}: ${fault}`);
      },
      close: target.close,
    };
  },
};

async function failAt(
  target: Target,
  { hook, point, error }: Failure,
  log: string,
  finished: readonly string[],
): Promise<string[]> {
  target.makeBundle();
  const container = await target.openContainer();
  try {
    const before = container.snapshot();
    const result = container.run(tampered(point, `error=${error}`, hook, log));
    const injected = readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => line.includes("(INJECTED)"));
    const after = container.snapshot();
    // An error that cannot be written is not seen.
    const isMute = injected.some((line) => line.includes(" write(2, ") || line.startsWith("write(2, "));
    const faults = isMute ? [] : endFaults(result);
    if (result.status === 0) {
      if (!answers(point.call).includes(error)) faults.push(...difference("finished", finished, after));
      faults.push(...after.filter((line) => line.includes("/.nvoci-")).map((line) => `left behind: ${line}`));
      // What was set aside is removed at last, when there is no way back; a leftover does no harm.
      if (point.call === "unlinkat") return faults.filter((fault) => !fault.includes("/.nvoci-"));
    }
    // A child's failure that strace(1) repeats in the command's own undoing is one too many.
    else if (injected.length <= 1) faults.push(...difference("undone", before, after));
    faults.push(...target.hostFaults());
    return faults.map((fault) => `${fault}   [${injected.join("; ").slice(0, 300)}]`);
  } finally {
    container.close();
  }
}
