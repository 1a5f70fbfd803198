import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../build/root.ts";
import type { HookEntry } from "../../../fixtures/bundle.ts";

/** One way to package the program. */
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

/** Reports whether the executable contains the latest bundles; `npm run build` does not rebuild it. */
export function isCurrent(executable: string): boolean {
  const note = join(executable, "../bundles.sha256");
  const bundles = join(DIST, "bundle");
  if (!existsSync(note) || !existsSync(bundles)) return false;
  const hash = createHash("sha256");
  for (const file of readdirSync(bundles).sort()) hash.update(readFileSync(join(bundles, file)));
  return readFileSync(note, "utf8") === hash.digest("hex");
}

/** The Node.js executable, if `npm run package` made it from the current bundles. */
export const pkgBuild: Build | undefined = CANDIDATES.find(
  ({ name, path }) => name === "pkg" && existsSync(path) && isCurrent(path),
);

/**
 * Returns the builds to test: native, then one on Node.js. The latter is the executable if it is current,
 * otherwise `node`, which has the same bundles and addon. `NVOCI_BUILDS=native,node` selects others.
 */
export function builds(): readonly Build[] {
  const wanted = process.env.NVOCI_BUILDS?.split(",") ?? ["native", pkgBuild?.name ?? "node"];
  return CANDIDATES.filter(({ name, path }) => existsSync(path) && wanted.includes(name));
}

/** The environment of every nvoci hook entry: its own, never the image's. */
const HOOK_ENVIRONMENT = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"];

/** Returns a hook entry for a command line, which starts with an absolute path. */
export const hookEntry = (
  command: readonly string[],
  env: readonly string[] = HOOK_ENVIRONMENT,
): HookEntry => ({
  path: command[0] ?? "",
  args: command,
  env,
});

/** Returns a build's hook entry for config.json. */
export const nvociHook = (build: Build, stage = "prestart"): HookEntry =>
  hookEntry([build.path, "hook", stage]);
