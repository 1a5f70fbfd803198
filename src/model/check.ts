import type { Finding } from "./finding.ts";

/**
 * Results of `nvoci doctor`. Like findings they are data: each code has its own arguments, tests compare codes, and
 * `render/check-words.ts` alone words them, with what they mean and the command that mends them.
 */

/** `fail`: containers here cannot use their GPU. `warn`: some cannot, or not completely. */
export type CheckStatus = "ok" | "warn" | "fail";

/** A program and its arguments, as a person types them. */
export type Command = readonly string[];

/** Every result with its arguments. */
export interface CheckArguments {
  "not-root": Record<string, never>;
  platform: { platform: string };
  // the configuration
  "config-default": Record<string, never>;
  "config-file": { file: string };
  "config-invalid": { file: string; message: string; hint: string | undefined };
  "config-key-unknown": { file: string; key: string; nearest: string | undefined };
  /** A finding that has no code of its own here. */
  finding: { finding: Finding };
  // the driver of a server
  "driver-loaded": { version: string };
  "driver-missing": Record<string, never>;
  "driver-absent": { release: string; install: Command | undefined };
  "driver-mismatch": { message: string };
  "gpu-none": Record<string, never>;
  "libraries-none": { version: string; install: Command | undefined };
  // the manifests of a board
  "release-missing": { file: string; install: Command | undefined };
  "release-mismatch": {
    release: number;
    made: "R36 or later" | "R35 or earlier";
    example: string;
    install: Command | undefined;
  };
  manifests: { directory: string; entries: number };
  manifest: { file: string; found: number; missing: readonly string[] };
  "manifests-none": { directory: string; install: Command | undefined };
  "manifests-unreadable": { path: string };
  "manifests-writable": { path: string };
  "manifest-lines": { file: string; count: number; finding: Finding };
  // what no container can do without
  "library-unlisted": {
    name: string;
    found: string | undefined;
    directory: string;
    install: Command | undefined;
  };
  "library-missing": { name: string; path: string; install: Command | undefined };
  "library-uncached": { name: string; path: string };
  "library-empty": { path: string; install: Command | undefined };
  "library-damaged": { path: string; reason: string; install: Command | undefined };
  "node-missing": { path: string; alternatives: readonly string[]; remedy: "modprobe" | "create" };
  "node-later": { path: string };
  "node-unlisted": { path: string; directory: string };
  "node-closed": { path: string; mode: number };
  devices: { nodes: readonly string[]; missing: number };
  "devices-closed": { count: number; groups: readonly number[] };
  // plan and trial
  "plan-made": { operations: number };
  "plan-impossible": { message: string; hint: string | undefined };
  "trial-passed": { operations: number };
  "trial-failed": { message: string; hint: string | undefined };
  "trial-skipped": { reason: string };
  // the host's programs and kernel
  "ldconfig-host": { path: string };
  "ldconfig-image": { path: string };
  "ldconfig-none": { file: string };
  "ldconfig-missing": Record<string, never>;
  cgroup: { version: 1 | 2 };
  "cgroup-none": Record<string, never>;
  kernel: { release: string; missing: readonly string[] };
  "runtime-found": { path: string };
  "runtime-missing": { names: readonly string[] };
  "hook-found": { path: string };
  "hook-missing": { path: string; program: string };
  "hook-foreign": { path: string; real: string; program: string };
  // container engines
  "engines-none": Record<string, never>;
  "docker-file-invalid": { file: string; reason: string };
  "docker-default-unknown": { file: string; name: string };
  "docker-runtime": { file: string; path: string; isDefault: boolean; isAsked: boolean };
  "docker-runtime-unregistered": { file: string; options: Command; restart: string };
  "docker-runtime-broken": { file: string; path: string; options: Command; restart: string };
  "docker-runtime-foreign": { file: string; path: string; options: Command; restart: string };
  "docker-runtime-unloaded": { file: string };
  "docker-not-default": { options: Command; restart: string };
  "docker-hook-unseen": { path: string; restart: string };
  "docker-cgroup-systemd": Record<string, never>;
  "docker-builds": { version: string | undefined };
  "cdi-foreign": { path: string };
  "engine-registered": { engine: string; file: string };
  "engine-unregistered": { engine: string; restart: string | undefined };
  "engine-unread": { engine: string; file: string; restart: string };
  "k3s-unregistered": Record<string, never>;
  // one container
  "container-found": { id: string; pid: number; given: number };
  "container-asks-nothing": { id: string; nearMiss: string | undefined };
  "container-lacks": { path: string };
  "container-stale": { path: string; version: string };
  "container-complete": { given: number };
}

export type CheckCode = keyof CheckArguments;

/** One result. */
export type Check = {
  [C in CheckCode]: {
    readonly code: C;
    readonly status: CheckStatus;
    readonly args: CheckArguments[C];
  };
}[CheckCode];

/** Builds a result. The compiler checks the arguments against the code. */
export const check = <C extends CheckCode>(status: CheckStatus, code: C, args: CheckArguments[C]): Check =>
  ({ code, status, args }) as Check;
