import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../build/root.ts";
import type { Primitives } from "../../../src/sys/primitives.ts";

/** The addon of the Node.js build. */
export const ADDON = join(root, "dist/node/nvoci.node");

let loaded: Primitives | undefined;

/**
 * The real kernel's engine inside the process of the tests, which must neither enter a namespace nor change its
 * root with it. Only `argv` is empty.
 *
 * @throws Error without a build.
 */
export function nodeEngine(): Primitives {
  if (loaded !== undefined) return loaded;
  if (!existsSync(ADDON))
    throw new Error(`Cannot load "${ADDON}": there is no build; npm run build makes one`);
  const addon = { exports: {} as Omit<Primitives, "argv"> };
  process.dlopen(addon, ADDON);
  // The addon gives SIGPIPE its default action back, for programs that it becomes; a test run must survive a pipe.
  process.on("SIGPIPE", () => {});
  loaded = { ...addon.exports, argv: [] };
  return loaded;
}
