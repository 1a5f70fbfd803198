import { afterEach } from "vitest";
import type { Bundle } from "../../../fixtures/bundle.ts";
import { type FakeServer, type FakeServerOptions, openServer } from "../../../fixtures/host/fake-server.ts";
import type { Build } from "../build/builds.ts";
import { type ServerBundleOptions, serverBundle } from "./server-bundle.ts";

/** Opens servers and bundles that are removed after each test. Call it in the body of a `describe`. */
export function serversOfEachTest(build: Build) {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0).reverse()) close();
  });
  return {
    closing,
    open: async (options?: FakeServerOptions): Promise<FakeServer> => {
      const server = await openServer(options);
      closing.push(() => server.close());
      return server;
    },
    ask: (options?: ServerBundleOptions): Bundle => {
      const bundle = serverBundle(build, options);
      closing.push(() => bundle.remove());
      return bundle;
    },
  };
}
