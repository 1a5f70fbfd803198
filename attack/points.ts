import { readFileSync } from "node:fs";
import type { CommandResult } from "../test/support/run-command.ts";

/** One system call of a recorded run. */
export interface Point {
  readonly call: string;
  /** Which call of that name in its process; the first is 1. */
  readonly when: number;
  /** Whether it is the command's own process that makes it, or only a child. */
  readonly own: boolean;
}

const STRACE = ["/usr/bin/strace", "-qq"];

/**
 * Records the system calls of a command and its children. Left out: execve(2), since the first one is strace's, and
 * what does not return.
 *
 * @param run runs the command line that it is given.
 */
export function recordPoints(
  run: (command: readonly string[]) => CommandResult,
  command: readonly string[],
  log: string,
): Point[] {
  const { status, stderr } = run([...STRACE, "-f", "-o", log, ...command]);
  if (status !== 0) throw new Error(`Cannot record "${command.join(" ")}": ${stderr}`);
  const lines = readFileSync(log, "utf8").split("\n");
  const main = lines[0]?.split(" ")[0];
  const counts = new Map<string, number>();
  const points = new Map<string, Point>();
  for (const line of lines) {
    const [, pid, call = ""] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (pid === undefined || call === "execve" || call === "exit_group") continue;
    const key = `${pid} ${call}`;
    const when = (counts.get(key) ?? 0) + 1;
    counts.set(key, when);
    const name = `${call} ${when}`;
    const own = pid === main;
    if (own || !points.has(name)) points.set(name, { call, when, own: own || points.get(name)?.own === true });
  }
  // A child's call of a name that the command's own process uses too is tried with that process alone.
  const ownNames = new Set([...points.values()].filter(({ own }) => own).map(({ call }) => call));
  return [...points.values()].filter(({ call, own }) => own || !ownNames.has(call));
}

/**
 * A command line that has something happen at a point: `signal=KILL` or `error=EIO`. The call is not made.
 *
 * @param log file that gets the call; a line with `(INJECTED)` says that an error happened.
 * @see strace(1), "Tampering"
 */
export function tampered(point: Point, what: string, command: readonly string[], log: string): string[] {
  const { call, when, own } = point;
  const follow = own ? [] : ["-f"];
  const tampering = `inject=${call}:${what}:when=${when}`;
  return [...STRACE, ...follow, "-o", log, "-e", `trace=${call}`, "-e", tampering, ...command];
}

/** A large prime, so that one seed after the other visits all points far from each other. */
const STRIDE = 7919;

/** The choice of a trial: every one comes up once in as many trials as there are. */
export const choiceOf = <Choice>(choices: readonly Choice[], seed: number): Choice =>
  choices[((seed % choices.length) * STRIDE) % choices.length] as Choice;
