import type { Config } from "../../config/config.ts";
import { chooseLdconfig } from "../../discover/choose-ldconfig.ts";
import { DEBIAN_IMAGE } from "../../hook/container-facts.ts";
import type { HostView } from "../../model/host-view.ts";
import { type Check, check } from "../../render/check.ts";

/** Tells whose ldconfig refreshes containers' caches. */
export function checkLdconfig(host: HostView, config: Config): Check[] {
  const { ldconfig, findings } = chooseLdconfig(host, config, DEBIAN_IMAGE);
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
