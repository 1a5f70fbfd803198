import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, type BundleOptions, makeBundle } from "../../../fixtures/bundle.ts";
import { compileCuda } from "../../../fixtures/host/fake-server.ts";
import { type Build, nvociHook } from "../build/builds.ts";

/** Options of a bundle on a server. */
export interface ServerBundleOptions extends BundleOptions {
  /** NVIDIA_VISIBLE_DEVICES. Default `all`. */
  readonly visible?: string;
  /** NVIDIA_DRIVER_CAPABILITIES. Default `all`. */
  readonly driverCapabilities?: string;
}

/**
 * Creates a bundle that requests GPUs, has a build's hook, and can run `use-cuda` in an image with glibc. Its
 * /proc is the fake host's, because the kernel under the tests has no driver.
 */
export function serverBundle(build: Build, options: ServerBundleOptions = {}): Bundle {
  const { visible = "all", driverCapabilities = "all", env = [] } = options;
  const bundle = makeBundle({
    hooks: { prestart: [nvociHook(build)] },
    ...options,
    env: [`NVIDIA_VISIBLE_DEVICES=${visible}`, `NVIDIA_DRIVER_CAPABILITIES=${driverCapabilities}`, ...env],
    edit(config) {
      const mounts = config.mounts as { destination: string }[];
      const proc = { destination: "/proc", type: "bind", source: "/proc", options: ["rbind"] };
      config.mounts = mounts.map((mount) => (mount.destination === "/proc" ? proc : mount));
      options.edit?.(config);
    },
  });
  const { rootfs = "debian" } = options;
  if (rootfs === "debian") copyFileSync(compileCuda().program, join(bundle.rootfs, "usr/bin/use-cuda"));
  return bundle;
}
