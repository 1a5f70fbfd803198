import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../build/root.ts";
import type { HookEntry } from "../../../fixtures/bundle.ts";

/** One way that the program is packaged. */
export interface Build {
  readonly name: "native" | "node" | "pkg";
  /** Absolute path of the program. */
  readonly path: string;
}

const DIST = join(root, "dist");
const MACHINE = process.arch === "arm64" ? "aarch64" : "x86_64";

const CANDIDATES: readonly Build[] = [
  { name: "native", path: join(DIST, `native/nvoci-linux-${MACHINE}`) },
  { name: "node", path: join(DIST, "node/nvoci") },
  { name: "pkg", path: join(DIST, `pkg/nvoci-linux-${MACHINE}/nvoci`) },
];

/** The Node.js executable for the other machine, without its launcher. */
export const ARM64_EXECUTABLE: string = join(DIST, "pkg/nvoci-linux-aarch64/nvoci-node");

/** Whether the executable holds the bundles that were built last: `npm run build` does not make it anew. */
export function isCurrent(executable: string): boolean {
  const note = join(executable, "../bundles.sha256");
  const bundles = join(DIST, "bundle");
  if (!existsSync(note) || !existsSync(bundles)) return false;
  const hash = createHash("sha256");
  for (const file of readdirSync(bundles).sort()) hash.update(readFileSync(join(bundles, file)));
  return readFileSync(note, "utf8") === hash.digest("hex");
}

/** The Node.js executable, when `npm run package` has made it of today's bundles. */
export const pkgBuild: Build | undefined = CANDIDATES.find(
  ({ name, path }) => name === "pkg" && existsSync(path) && isCurrent(path),
);

/**
 * The builds to test, native first, then one on Node.js: the executable where there is a current one, otherwise `node`,
 * which has the same bundles and addon. `NVOCI_BUILDS=native,node` names others.
 */
export function builds(): readonly Build[] {
  const wanted = process.env.NVOCI_BUILDS?.split(",") ?? ["native", pkgBuild?.name ?? "node"];
  return CANDIDATES.filter(({ name, path }) => existsSync(path) && wanted.includes(name));
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
