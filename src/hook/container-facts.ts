import { compatDirectory } from "../discover/compat-directory.ts";
import type { ContainerFacts } from "../discover/container-facts.ts";
import { silentMounts } from "../execute/container-mounts.ts";
import { RootView } from "../execute/root-view.ts";
import { NvociError } from "../model/errors.ts";
import type { HostPath } from "../model/paths.ts";
import { AT_EMPTY_PATH, O_PATH } from "../sys/constants.ts";
import { CWD } from "../sys/fd.ts";
import type { Syscalls } from "../sys/syscalls.ts";
import { SystemError } from "../sys/system-error.ts";
import { readCompat } from "./compat-facts.ts";

/** What most images look like, for questions that no image goes with. */
export const DEBIAN_IMAGE: ContainerFacts = {
  debianLike: true,
  hasMultiarchDirectory: true,
  hasLib32: false,
  hasSeparateLib: true,
  hasProcDriver: true,
  compat: () => undefined,
  ldconfig: "/sbin/ldconfig",
};

/** The process whose mounts a live container's root shows. */
const PROCESS = /^\/proc\/\d+(?=\/root\/)/;

/** Whether /usr/lib is a place of its own, for libraries of the other width. */
function hasSeparateLib(system: Syscalls, view: RootView): boolean {
  const [lib, lib64] = ["/usr/lib", "/usr/lib64"].map((path) => {
    const fd = view.open(path, O_PATH | system.O_DIRECTORY);
    const stat = fd && system.statx(fd, "", AT_EMPTY_PATH);
    if (fd !== undefined) system.close(fd);
    return stat && `${stat.device} ${stat.inode}`;
  });
  return lib !== undefined && lib !== lib64;
}

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
  // Stays open: what is asked later is asked of the same directory.
  const view = new RootView(system, fd, silentMounts(system, fd, PROCESS.exec(root)?.[0]));
  return {
    debianLike: view.hasFile("/etc/debian_version"),
    hasMultiarchDirectory: view.hasDirectory(`/usr/lib/${triplet}`),
    hasLib32: view.hasDirectory("/usr/lib32"),
    hasSeparateLib: hasSeparateLib(system, view),
    hasProcDriver: view.hasDirectory("/proc/driver/nvidia"),
    compat: (host, config) => readCompat(system, view, compatDirectory(host, config)),
    ldconfig: ["/sbin/ldconfig.real", "/sbin/ldconfig"].find((path) => view.hasProgram(path)),
  };
}
