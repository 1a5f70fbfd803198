import type { ContainerFacts } from "../discover/container-facts.ts";
import { RootView } from "../execute/root-view.ts";
import { NvociError } from "../model/errors.ts";
import type { HostPath } from "../model/paths.ts";
import { O_PATH } from "../sys/constants.ts";
import { CWD } from "../sys/fd.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";

/** What most images look like, for questions that no image goes with. */
export const DEBIAN_IMAGE: ContainerFacts = {
  debianLike: true,
  hasMultiarchDirectory: true,
  ldconfig: "/sbin/ldconfig",
};

/**
 * Looks at the image, without changing it: how it lays out its libraries, and whether it has an ldconfig.
 *
 * @param root the root directory as the container sees it: through `/proc/PID/root` for a live one.
 * @throws NvociError "spec-invalid" when there is no such directory.
 */
export function readContainerFacts(system: Syscalls, root: HostPath, triplet: string): ContainerFacts {
  let fd: ReturnType<Syscalls["openat"]>;
  try {
    fd = system.openat(CWD, root, O_PATH | system.O_DIRECTORY);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new NvociError("spec-invalid", `Cannot open the container's root "${root}": ${error.reason}`, [
      error.call,
    ]);
  }
  const view = new RootView(system, fd);
  const facts = {
    debianLike: view.hasFile("/etc/debian_version"),
    hasMultiarchDirectory: view.hasDirectory(`/usr/lib/${triplet}`),
    ldconfig: ["/sbin/ldconfig.real", "/sbin/ldconfig"].find((path) => view.hasFile(path)),
  };
  system.close(fd);
  return facts;
}
