import type { HostView } from "../../model/host-view.ts";
import { hostPath } from "../../model/paths.ts";
import { decodeUtf8 } from "../../model/utf8.ts";
import { type Check, check } from "../../render/check.ts";
import { findProgram } from "./find-program.ts";

const FILE = hostPath("/etc/docker/daemon.json");

/** The part of daemon.json that is looked at. None of it is known to have its type. */
interface DaemonFile {
  readonly runtimes?: { readonly nvidia?: { readonly path?: unknown } };
  readonly "default-runtime"?: unknown;
}

/**
 * Tells whether Docker knows the runtime `nvidia`. Without it `--gpus` can work all the same, by the hook's name.
 *
 * @see dockerd(8), "Daemon configuration file"
 */
export function checkDocker(host: HostView): Check {
  const bytes = host.readFile(FILE);
  if (bytes === undefined) {
    if (findProgram(host, "dockerd") === undefined) return check("ok", "docker-absent", {});
    return check("warn", "docker-runtime-unregistered", { file: FILE });
  }
  const daemon = parse(decodeUtf8(bytes) ?? "");
  if (daemon === undefined) return check("warn", "docker-unreadable", { file: FILE });
  const path = daemon.runtimes?.nvidia?.path;
  const isDefault = daemon["default-runtime"] === "nvidia";
  if (typeof path !== "string") {
    // A default that is not registered stops dockerd, or every container.
    return check(isDefault ? "fail" : "warn", "docker-runtime-unregistered", { file: FILE });
  }
  if (findProgram(host, path) === undefined) {
    return check("fail", "docker-runtime-broken", { file: FILE, path });
  }
  return check("ok", "docker-runtime", { file: FILE, path, isDefault });
}

function parse(text: string): DaemonFile | undefined {
  try {
    const value: unknown = JSON.parse(text.trim() === "" ? "{}" : text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
