import { type KnownKeys, LEAF } from "./other-readings.ts";

const HOOKS: KnownKeys = { path: LEAF, args: LEAF, env: LEAF };

/** The keys of config.json that are read or edited. */
export const SPEC_KEYS: KnownKeys = {
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
export const STATE_KEYS: KnownKeys = { id: LEAF, status: LEAF, pid: LEAF, bundle: LEAF, bundlePath: LEAF };
