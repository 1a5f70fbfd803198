/** Provides the sources under test with the bundles that they load on demand, as the build does for the program. */
import * as config from "../../../src/config/parse-config.ts";
import * as compat from "../../../src/discover/compat/board-compat.ts";
import * as server from "../../../src/discover/server/discover-server.ts";
import * as soname from "../../../src/elf/read-soname.ts";
import * as setup from "../../../src/host-setup/prepare-server.ts";

const BUNDLES: Readonly<Record<string, unknown>> = {
  "./compat.cjs": compat,
  "./config.cjs": config,
  "./server.cjs": server,
  "./setup.cjs": setup,
  "./soname.cjs": soname,
};

Object.assign(globalThis, {
  nvociRequire(name: string): unknown {
    const bundle = BUNDLES[name];
    if (bundle === undefined)
      throw new Error(`Cannot load "${name}": this bundle is not available to tests of sources`);
    return bundle;
  },
});
