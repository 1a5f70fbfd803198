import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sharedObject } from "../../../fixtures/host/shared-object.ts";

const DRIVER = "/usr/lib/aarch64-linux-gnu/nvidia";

/** Creates what an image may have where a host file has to go; the hook sets it aside or replaces it. */
export function putThingsInTheWay(rootfs: string): void {
  const at = (path: string): string => {
    mkdirSync(join(rootfs, dirname(path)), { recursive: true });
    return join(rootfs, path);
  };
  symlinkSync("/nowhere", at(`${DRIVER}/libnvos.so`));
  writeFileSync(at(`${DRIVER}/libcuda.so`), "a file where the host has a link", { mode: 0o640 });
  mkdirSync(at(`${DRIVER}/libnvrm_gpu.so`), { mode: 0o750 });
  symlinkSync("elsewhere", at("/usr/lib/firmware/tegra23x"));
  // ldconfig creates a link to it, in a directory that is not nvoci's.
  writeFileSync(at("/opt/image/libimage.so.1.2"), sharedObject("libimage.so.1"));
  writeFileSync(at("/etc/ld.so.conf.d/image.conf"), "/opt/image\n");
}
