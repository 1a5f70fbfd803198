import { existsSync } from "node:fs";
import { join } from "node:path";
import type { HookEntry } from "./bundle.ts";

/** One way that the program is packaged. */
export interface Build {
  readonly name: "native" | "node" | "pkg";
  /** Absolute path of the program. */
  readonly path: string;
}

const DIST = join(import.meta.dirname, "../../dist");
const MACHINE = process.arch === "arm64" ? "aarch64" : "x86_64";

const CANDIDATES: readonly Build[] = [
  { name: "native", path: join(DIST, `native/nvoci-linux-${MACHINE}`) },
  { name: "node", path: join(DIST, "node/nvoci") },
  { name: "pkg", path: join(DIST, `pkg/nvoci-linux-${MACHINE}/nvoci`) },
];

/** The Node.js executable, when `npm run package` has made it. */
export const pkgBuild: Build | undefined = CANDIDATES.find(
  ({ name, path }) => name === "pkg" && existsSync(path),
);

/**
 * The builds that lie in dist/, native first. `NVOCI_BUILDS=node` keeps the named ones only; `pkg`, which holds the same
 * bundles and addon as `node`, has to be named.
 */
export function builds(): readonly Build[] {
  const wanted = process.env.NVOCI_BUILDS?.split(",");
  return CANDIDATES.filter(
    ({ name, path }) => existsSync(path) && (wanted?.includes(name) ?? name !== "pkg"),
  );
}

/** What every hook entry of ours has: an environment of its own, never the image's. */
const HOOK_ENVIRONMENT = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"];

/** A hook entry for a command line; its first word is an absolute path. */
export const hookEntry = (
  command: readonly string[],
  env: readonly string[] = HOOK_ENVIRONMENT,
): HookEntry => ({
  path: command[0] ?? "",
  args: command,
  env,
});

/** The hook of a build as config.json has it. */
export const nvociHook = (build: Build, stage = "prestart"): HookEntry =>
  hookEntry([build.path, "hook", stage]);
