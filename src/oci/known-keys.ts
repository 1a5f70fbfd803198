import { parseJsonObject } from "../json/json-fault.ts";
import { type KnownKeys, LEAF, refuseOtherReadings } from "../json/other-readings.ts";
import type { HostPath } from "../model/paths.ts";
import { specDocument } from "./spec.ts";
import { STATE_DOCUMENT } from "./state.ts";

const HOOKS: KnownKeys = { path: LEAF, args: LEAF, env: LEAF };

/** The keys of config.json that are read or edited. */
const SPEC_KEYS: KnownKeys = {
  ociVersion: LEAF,
  process: {
    env: LEAF,
    capabilities: { bounding: LEAF },
    user: { uid: LEAF, gid: LEAF, additionalGids: LEAF },
  },
  root: { path: LEAF, readonly: LEAF },
  mounts: { destination: LEAF, type: LEAF, source: LEAF, options: LEAF },
  hooks: {
    prestart: HOOKS,
    createRuntime: HOOKS,
    createContainer: HOOKS,
    startContainer: HOOKS,
    poststart: HOOKS,
    poststop: HOOKS,
  },
  linux: {
    uidMappings: LEAF,
    gidMappings: LEAF,
    namespaces: { type: LEAF, path: LEAF },
    devices: { path: LEAF, type: LEAF, major: LEAF, minor: LEAF, fileMode: LEAF, uid: LEAF, gid: LEAF },
    resources: { devices: { allow: LEAF, type: LEAF, major: LEAF, minor: LEAF, access: LEAF } },
    cgroupsPath: LEAF,
    mountLabel: LEAF,
  },
};

/** The keys of the state that are read. */
const STATE_KEYS: KnownKeys = { id: LEAF, status: LEAF, pid: LEAF, bundle: LEAF, bundlePath: LEAF };

/**
 * Checks that the runtime reads a container's config.json, and the state that it writes, as nvoci does.
 *
 * @param state the state's text; `undefined` for the wrapper, which gets none.
 * @throws {NvociError} "spec-invalid" or "state-invalid" when parsers could differ; the message has the line and
 * column.
 */
export function checkDocuments(bundle: HostPath, spec: string, state: string | undefined): void {
  const document = specDocument(bundle);
  refuseOtherReadings(document, spec, parseJsonObject(document, spec), SPEC_KEYS);
  if (state === undefined) return;
  refuseOtherReadings(STATE_DOCUMENT, state, parseJsonObject(STATE_DOCUMENT, state), STATE_KEYS);
}
