import type { ContainerFacts } from "../../../src/discover/container-facts.ts";

/** A Debian image in a container without the driver's procfs. */
export const DEBIAN_FACTS: ContainerFacts = {
  debianLike: true,
  hasMultiarchDirectory: true,
  hasLib32: false,
  hasSeparateLib: true,
  hasProcDriver: false,
  compat: () => undefined,
  ldconfig: "/sbin/ldconfig",
};
