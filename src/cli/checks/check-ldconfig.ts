import type { Config } from "../../config/config.ts";
import { chooseLdconfig } from "../../discover/choose-ldconfig.ts";
import type { Finding } from "../../model/finding.ts";
import type { HostView } from "../../model/host-view.ts";
import { type Check, check } from "../../render/check.ts";
import { DEBIAN_IMAGE } from "../imaginary-container.ts";

/** Tells whose ldconfig refreshes containers' caches. */
export function checkLdconfig(host: HostView, config: Config): Check[] {
  const findings: Finding[] = [];
  const ldconfig = chooseLdconfig(host, DEBIAN_IMAGE, config, (found) => findings.push(found));
  const unusable = findings
    .filter(({ severity }) => severity === "warning")
    .map((finding) => check("warn", "finding", { finding }));
  if (ldconfig === undefined) {
    const code = config.nvoci.ldconfig ? "ldconfig-missing" : "ldconfig-none";
    return [...unusable, check("warn", code, {})];
  }
  const { path } = ldconfig;
  return ldconfig.from === "host"
    ? [...unusable, check("ok", "ldconfig-host", { path })]
    : [...unusable, check("ok", "ldconfig-image", { path })];
}
