import type { MountSpec } from "../manifest/parse-manifest.ts";
import { alignColumns } from "./align-columns.ts";
import { showPath } from "./show-path.ts";

/** State, type, path and place of each entry of manifests. */
export function renderEntries(
  states: readonly { readonly spec: MountSpec; readonly found: boolean }[],
): string[] {
  return alignColumns(
    states.map(({ spec, found }) => [
      found ? "found" : "missing",
      spec.type,
      showPath(spec.path),
      spec.source,
    ]),
  );
}
