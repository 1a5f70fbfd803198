import * as server from "../../src/discover/server/discover-server.ts";
import * as links from "../../src/discover/soname-links.ts";
import * as setup from "../../src/host-setup/prepare-server.ts";

/*
 * What `loadBundle` reaches in a test that imports this file: the parts themselves, as no build has bundled them.
 */

const BUNDLES: Readonly<Record<string, unknown>> = {
  "./server.cjs": server,
  "./links.cjs": links,
  "./setup.cjs": setup,
};

Object.assign(globalThis, {
  nvociRequire(name: string): unknown {
    if (name in BUNDLES) return BUNDLES[name];
    throw new Error(`A test cannot load ${name}`);
  },
});
