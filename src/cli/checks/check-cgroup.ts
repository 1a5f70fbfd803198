import { type HostView, readText } from "../../model/host-view.ts";
import { hostPath } from "../../model/paths.ts";
import { type Check, check } from "../../render/check.ts";

/**
 * Tells which version of cgroups decides on devices here: version 1 where its controller is mounted.
 *
 * @see proc(5), /proc/pid/mounts
 */
export function checkCgroup(host: HostView, noCgroups: boolean): Check {
  const mounts = readText(host, hostPath("/proc/self/mounts")) ?? "";
  const fields = mounts.split("\n").map((line) => line.split(" "));
  const isVersion1 = fields.some(
    ([, , type, options]) => type === "cgroup" && (options ?? "").split(",").includes("devices"),
  );
  if (isVersion1) return check("ok", "cgroup", { version: 1 });
  if (fields.some(([, , type]) => type === "cgroup2")) return check("ok", "cgroup", { version: 2 });
  return check(noCgroups ? "ok" : "fail", "cgroup-none", {});
}
