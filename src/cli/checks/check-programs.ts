import type { Config } from "../../config/config.ts";
import type { HostView } from "../../model/host-view.ts";
import { type Check, check } from "../../render/check.ts";
import { findProgram } from "./find-program.ts";

/** The name by which dockerd looks for the hook when a container is run with `--gpus`. */
const HOOK_NAME = "nvidia-container-runtime-hook";

/** Tells whether the hook has its name, and whether the wrapper has a runtime to hand over to. */
export function checkPrograms(host: HostView, config: Config): Check[] {
  const hook = findProgram(host, HOOK_NAME);
  const names = config.nvidiaContainerRuntime.runtimes;
  const runtime = names.map((name) => findProgram(host, name)).find((path) => path !== undefined);
  return [
    hook === undefined
      ? check("warn", "hook-missing", { name: HOOK_NAME })
      : check("ok", "hook-found", { path: hook }),
    runtime === undefined
      ? check("warn", "runtime-missing", { names })
      : check("ok", "runtime-found", { path: runtime }),
  ];
}
