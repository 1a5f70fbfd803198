import type { HostPath } from "../model/paths.ts";
import { parseJsonObject } from "./json-document.ts";
import { SPEC_KEYS, STATE_KEYS } from "./known-keys.ts";
import { refuseOtherReadings } from "./other-readings.ts";
import { specDocument } from "./spec.ts";
import { STATE_DOCUMENT } from "./state.ts";

/**
 * Makes sure that a runtime reads a container's config.json, and the state that it has written, as we do.
 *
 * @param state the state's text; absent for the wrapper, which gets none.
 * @throws NvociError "spec-invalid" or "state-invalid" that names the line and column.
 */
export function checkDocuments(bundle: HostPath, spec: string, state: string | undefined): void {
  const document = specDocument(bundle);
  refuseOtherReadings(document, spec, parseJsonObject(document, spec), SPEC_KEYS);
  if (state === undefined) return;
  refuseOtherReadings(STATE_DOCUMENT, state, parseJsonObject(STATE_DOCUMENT, state), STATE_KEYS);
}
