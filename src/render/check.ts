import type { Platform } from "../discover/detect-platform.ts";
import type { Finding } from "../model/finding.ts";

/** `fail`: a container that asks for a GPU does not get it. `warn`: some containers, or not all of it. */
export type CheckStatus = "ok" | "warn" | "fail";

/** Everything that `nvoci doctor` can have to say, with its arguments. Like findings, without words. */
export interface CheckArguments {
  "not-root": Record<string, never>;
  platform: { platform: Platform };
  "driver-loaded": { version: string };
  "driver-missing": Record<string, never>;
  "config-default": Record<string, never>;
  "config-file": { file: string };
  "config-invalid": { message: string };
  /** A finding that has nothing to do with one entry. */
  finding: { finding: Finding };
  manifests: { directory: string; entries: number };
  "manifests-none": { directory: string };
  manifest: { file: string; found: number; missing: readonly string[] };
  "plan-made": { operations: number };
  "plan-impossible": { message: string };
  devices: { nodes: readonly string[] };
  "devices-none": Record<string, never>;
  "devices-closed": { count: number; groups: readonly number[] };
  "ldconfig-host": { path: string };
  "ldconfig-image": { path: string };
  "ldconfig-none": Record<string, never>;
  "ldconfig-missing": Record<string, never>;
  cgroup: { version: 1 | 2 };
  "cgroup-none": Record<string, never>;
  kernel: { release: string; missing: readonly string[] };
  "runtime-found": { path: string };
  "runtime-missing": { names: readonly string[] };
  "hook-found": { path: string };
  "hook-missing": { name: string };
  "docker-absent": Record<string, never>;
  "docker-unreadable": { file: string };
  "docker-runtime": { file: string; path: string; isDefault: boolean };
  "docker-runtime-unregistered": { file: string };
  "docker-runtime-broken": { file: string; path: string };
}

export type CheckCode = keyof CheckArguments;

/** One result of a check. */
export type Check = {
  [C in CheckCode]: {
    readonly code: C;
    readonly status: CheckStatus;
    readonly args: CheckArguments[C];
  };
}[CheckCode];

/** Builds a result with its arguments checked against its code. */
export const check = <C extends CheckCode>(status: CheckStatus, code: C, args: CheckArguments[C]): Check =>
  ({ code, status, args }) as Check;
