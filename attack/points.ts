import { readFileSync } from "node:fs";
import type { CommandResult } from "../fixtures/run/run-command.ts";

/** One system call of a recorded run. */
export interface Point {
  readonly call: string;
  /** The number of the call of that name in its process, from 1. */
  readonly when: number;
  /** The caller: the command itself, only a child, or only a program that a child has executed. */
  readonly of: "command" | "child" | "program";
}

const STRACE = ["/usr/bin/strace", "-qq"];

/**
 * Records the system calls of a command and its children. Omits calls before the command's last execve(2), which
 * belong to a launcher, and calls that do not return.
 *
 * @param run runs a command line.
 */
export function recordPoints(
  run: (argv: readonly string[]) => CommandResult,
  command: readonly string[],
  log: string,
): Point[] {
  const { status, stderr } = run([...STRACE, "-f", "-o", log, ...command]);
  if (status !== 0) throw new Error(`Cannot record "${command.join(" ")}": ${stderr}`);
  const lines = [...readFileSync(log, "utf8").matchAll(/^(\d+) +(\w+)\(/gm)];
  const calls = lines.map(([, pid = "", call = ""]) => ({ pid, call, key: `${pid} ${call}` }));
  const main = calls[0]?.pid;
  const start = calls.map(({ key }) => key).lastIndexOf(`${main} execve`);
  const counts = new Map<string, number>();
  const programs = new Set<string>();
  const points = new Map<string, Point>();
  for (const [index, { pid, call, key }] of calls.entries()) {
    const when = (counts.get(key) ?? 0) + 1;
    counts.set(key, when);
    if (index <= start || call.startsWith("exit")) continue;
    const of = pid === main ? "command" : programs.has(pid) ? "program" : "child";
    if (call.startsWith("execve")) programs.add(pid);
    const name = `${call} ${when}`;
    if (of === "command" || !points.has(name)) points.set(name, { call, when, of });
  }
  // Skip a child's call if the command makes the same call: both would be hit.
  const own = new Set([...points.values()].filter(({ of }) => of === "command").map(({ call }) => call));
  return [...points.values()].filter(({ call, of }) => of === "command" || !own.has(call));
}

/**
 * Returns a command line with a fault at a point, `signal=KILL` or `error=EIO`. The call is not made.
 *
 * @param log the file that gets the call; a line with `(INJECTED)` marks an injected error.
 * @see strace(1), "Tampering"
 */
export function tampered(point: Point, what: string, command: readonly string[], log: string): string[] {
  const { call, when, of } = point;
  const follow = of === "command" ? [] : ["-f"];
  const tampering = `inject=${call}:${what}:when=${when}`;
  return [...STRACE, ...follow, "-o", log, "-e", `trace=${call}`, "-e", tampering, ...command];
}

/** A large prime, so that successive seeds choose distant points. */
const STRIDE = 7919;

/** Returns the choice of a trial. As many trials as there are choices make each choice once. */
export const choiceOf = <Choice>(choices: readonly Choice[], seed: number): Choice =>
  choices[((seed % choices.length) * STRIDE) % choices.length] as Choice;
