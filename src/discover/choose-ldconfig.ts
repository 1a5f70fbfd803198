import type { Config } from "../config/config.ts";
import { ELF_HEAD_BYTES, isElf, isStaticElf } from "../elf/static-elf.ts";
import type { LdconfigChoice } from "../model/container-edits.ts";
import { finding, type Report } from "../model/finding.ts";
import { type ContainerPath, containerPath, hostPath } from "../model/paths.ts";
import type { HostView, ImageView } from "../model/views.ts";

const SOURCE = "nvidia-container-cli.ldconfig";

/** Paths of an image's own ldconfig, `NAME.real` before NAME as on the host. */
const IMAGE_PATHS = ["/sbin/ldconfig.real", "/sbin/ldconfig"].map(containerPath);

/** The host's program if config.toml names none, or names one that the image lacks. */
const HOST_PATH = hostPath("/sbin/ldconfig");

/** Finds the image's own ldconfig. Scripts do not count: musl's, for example, writes no cache. */
const ldconfigOf = (image: ImageView): ContainerPath | undefined =>
  IMAGE_PATHS.find((path) => isElf(image.readRange(path, 0, 4) ?? new Uint8Array()));

/**
 * Chooses the ldconfig that updates the container's cache. The host's comes first, `NAME.real` before NAME because
 * Debian derivatives install a script under the plain name. The container's own is code of the image: it runs only
 * if the host has no usable one and the configuration allows it, or the configuration names it. An image that lacks
 * the named one gets its cache from the host's.
 *
 * The host's program must be static: below the container's root, a dynamic one would load the image's libraries.
 *
 * @returns `undefined` when no ldconfig may run or the configuration turns it off.
 */
export function chooseLdconfig(
  host: HostView,
  image: ImageView,
  config: Config,
  report: Report,
): LdconfigChoice | undefined {
  if (!config.nvoci.ldconfig) return undefined;
  const configured = config.nvidiaContainerCli.ldconfig;
  if (configured.from === "container") {
    if (image.type(configured.path) === "file") return configured;
    report(finding("ldconfig-not-in-image", "info", SOURCE, { path: configured.path }));
  }
  const named = configured.from === "host" ? configured.path : HOST_PATH;
  for (const path of [hostPath(`${named}.real`), named]) {
    const real = host.realPath(path);
    const head = real && host.readRange(real, 0, ELF_HEAD_BYTES);
    if (real === undefined || head === undefined) continue;
    if (isStaticElf(head)) return { from: "host", path: real };
    report(finding("ldconfig-unusable", "warning", SOURCE, { path, reason: "not-static" }));
  }
  if (!config.features.allowLdconfigFromContainer) return undefined;
  const path = ldconfigOf(image);
  if (path === undefined) return undefined;
  report(finding("ldconfig-container-own", "info", SOURCE, { path }));
  return { from: "container", path };
}
