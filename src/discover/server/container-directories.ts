import { COMPAT32, type HostArchitecture } from "../../ldcache/architecture.ts";
import { type ContainerPath, containerPath } from "../../model/paths.ts";
import type { ContainerFacts } from "../container-facts.ts";

/** What decides where an image's dynamic linker looks. */
export interface ServerContainer
  extends Pick<
    ContainerFacts,
    "debianLike" | "hasMultiarchDirectory" | "hasLib32" | "hasSeparateLib" | "hasProcDriver"
  > {}

/** Names of Debian's directories. @see https://wiki.debian.org/Multiarch/Tuples */
export const MULTIARCH = {
  x86_64: "x86_64-linux-gnu",
  i386: "i386-linux-gnu",
  aarch64: "aarch64-linux-gnu",
  arm: "arm-linux-gnueabihf",
} as const;

/** Where programs of the driver go. */
export const PROGRAM_DIRECTORY = containerPath("/usr/bin");

/** Where the container gets the driver's libraries: those of its own width, and 32-bit ones. */
export function libraryDirectory(
  container: ServerContainer,
  architecture: HostArchitecture,
  bits: 32 | 64,
): ContainerPath {
  if (container.debianLike || container.hasMultiarchDirectory) {
    return containerPath(`/usr/lib/${MULTIARCH[bits === 64 ? architecture : COMPAT32[architecture]]}`);
  }
  if (bits === 64) return containerPath("/usr/lib64");
  return containerPath(
    container.hasSeparateLib === true && container.hasLib32 !== true ? "/usr/lib" : "/usr/lib32",
  );
}
