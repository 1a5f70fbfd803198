import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../build/root.ts";
import type { Primitives } from "../../../src/sys/primitives.ts";

/** The addon of the Node.js build. */
export const ADDON = join(root, "dist/node/nvoci.node");

let loaded: Primitives | undefined;

/**
 * Returns the real kernel's engine in the process of the tests, which must not enter a namespace or change its
 * root with it. Only `argv` is empty.
 *
 * @throws Error without a build.
 */
export function nodeEngine(): Primitives {
  if (loaded !== undefined) return loaded;
  if (!existsSync(ADDON)) throw new Error(`Cannot load "${ADDON}": it does not exist, run npm run build`);
  const addon = { exports: {} as Omit<Primitives, "argv"> };
  process.dlopen(addon, ADDON);
  // The addon restores SIGPIPE's default action for the programs that it executes; a test run must survive a
  // closed pipe.
  process.on("SIGPIPE", () => {});
  loaded = { ...addon.exports, argv: [] };
  return loaded;
}
