import { readFileSync } from "node:fs";
import { join } from "node:path";
import { putThingsInTheWay } from "../test/support/host/things-in-the-way.ts";
import type { Attack } from "./attack.ts";
import { choiceOf, type Point, recordPoints, tampered } from "./points.ts";
import { difference, endFaults, openTarget, type Target } from "./target.ts";

const ERRORS = ["EIO", "ENOMEM", "EACCES", "ENOSPC", "EBUSY", "EINTR", "ENOENT", "EMFILE"] as const;
type ErrorName = (typeof ERRORS)[number];

/** Calls that only read, among others the host's files. */
const LOOKS = ["openat", "openat2", "newfstatat", "statx", "readlinkat", "getdents64", "read", "pread64"];
/**
 * Returns the errors that describe the host or the image. After one, a container may get less, with a finding.
 * EIO, ENOMEM and EMFILE describe neither.
 */
const answers = (call: string): readonly ErrorName[] =>
  LOOKS.includes(call) ? ["ENOENT", "EACCES", "EBUSY", "ENOSPC", "EINTR"] : ["ENOENT", "EACCES", "EBUSY"];

/** Calls that never fail in a kernel, or whose failure only the JavaScript engine sees. */
const NEVER_FAIL = [
  "close",
  "munmap",
  "brk",
  "getpid",
  "gettid",
  "set_tid_address",
  "arch_prctl",
  "set_robust_list",
  // These always return the previous id.
  "setfsuid",
  "setfsgid",
];

interface Failure {
  readonly hook: readonly string[];
  readonly point: Point;
  readonly error: ErrorName;
}

/**
 * Each system call of the hook and of its children fails once, with each of several errors. Container and host
 * must be as before, or the container must be as without the failure.
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
      // How ldconfig handles an error does not matter.
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
    // A failed write to standard error hides the message.
    const isMute = injected.some((line) => line.includes(" write(2, ") || line.startsWith("write(2, "));
    const faults = isMute ? [] : endFaults(result);
    if (result.status === 0) {
      if (!answers(point.call).includes(error)) faults.push(...difference("finished", finished, after));
      faults.push(...after.filter((line) => line.includes("/.nvoci-")).map((line) => `left behind: ${line}`));
      // Files set aside are removed last, after the point of no return; a leftover does no harm.
      if (point.call === "unlinkat") return faults.filter((fault) => !fault.includes("/.nvoci-"));
    }
    // strace(1) may repeat a child's failure while the command undoes; that is one failure too many.
    else if (injected.length <= 1) faults.push(...difference("undone", before, after));
    faults.push(...target.hostFaults());
    return faults.map((fault) => `${fault}   [${injected.join("; ").slice(0, 300)}]`);
  } finally {
    container.close();
  }
}
