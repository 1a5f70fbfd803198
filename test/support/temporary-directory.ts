import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory of one test. It can be removed by `using`-like calls of `remove`. */
export interface TemporaryDirectory {
  readonly path: string;
  remove(): void;
}

/**
 * Makes an empty directory below the system's temporary one.
 *
 * @param label part of the name, for people who look at leftovers.
 */
export function temporaryDirectory(label: string): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), `nvoci-${label}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}
