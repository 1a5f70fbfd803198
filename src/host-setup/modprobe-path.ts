import { readText } from "../discover/server/driver-version.ts";
import type { HostView } from "../model/host-view.ts";

const DEFAULT = "/sbin/modprobe";

/** The program that the kernel itself loads modules with. @see proc_sys_kernel(5) */
export function modprobePath(host: HostView): string {
  const path = (readText(host, "/proc/sys/kernel/modprobe") ?? "").trim();
  return path.startsWith("/") ? path : DEFAULT;
}
