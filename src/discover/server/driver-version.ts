import type { HostView } from "../../model/host-view.ts";
import { hostPath } from "../../model/paths.ts";
import { decodeUtf8 } from "../../model/utf8.ts";

const VERSION = /^\d{1,5}(?:\.\d{1,5}){1,3}$/;

/** The text of a small file; `undefined` when it is not there or not UTF-8. */
export function readText(host: HostView, path: string): string | undefined {
  const bytes = host.readFile(hostPath(path), 1 << 20);
  return bytes && decodeUtf8(bytes);
}

/**
 * The version in the first line of /proc/driver/nvidia/version, `NVRM version: NVIDIA UNIX x86_64 Kernel Module
 * 535.86.05 Fri Jul 14 …`. The open modules put their machine after the words `Kernel Module`.
 */
export function parseDriverVersion(text: string): string | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith("NVRM version:")) ?? "";
  return line.split(/\s+/).find((word) => VERSION.test(word));
}

/** The version of the kernel modules that are loaded; `undefined` when none are. */
export function readDriverVersion(host: HostView): string | undefined {
  const version = parseDriverVersion(readText(host, "/proc/driver/nvidia/version") ?? "");
  if (version !== undefined) return version;
  const module = (readText(host, "/sys/module/nvidia/version") ?? "").trim();
  return VERSION.test(module) ? module : undefined;
}
