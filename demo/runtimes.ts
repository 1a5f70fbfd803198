import { join } from "node:path";
import { buildSync } from "esbuild";
import type { Bundle } from "../fixtures/bundle.ts";
import { runContainer, writeCommand } from "../fixtures/run/container.ts";
import { type CommandResult, mustRun, runCommand } from "../fixtures/run/run-command.ts";

/** A way to run a container. */
interface Runtime {
  /** Its name for people. */
  title(): string;
  /** What config.toml says for it: without a cgroup of the container's own there is none to change. */
  readonly config: string;
  /** Runs a command in the bundle's container to its end. */
  start(bundle: Bundle, command: readonly string[]): CommandResult;
}

/** Runs it with the demo's own runtime, on the system calls of the Node.js build. */
function embedded(bundle: Bundle, command: readonly string[]): CommandResult {
  const id = writeCommand(bundle, command);
  const outfile = join(bundle.directory, "mini-runtime.cjs");
  buildSync({
    entryPoints: [join(import.meta.dirname, "mini-runtime.ts")],
    outfile,
    bundle: true,
    platform: "node",
    logLevel: "warning",
  });
  const addon = join(import.meta.dirname, "../dist/node/nvoci.node");
  return runCommand([process.execPath, outfile, addon, bundle.directory, id]);
}

/** The ways by their names in NVOCI_DEMO_RUNTIME. */
export const RUNTIMES: Readonly<Record<"runc" | "embedded", Runtime>> = {
  runc: {
    title: () => mustRun(["runc", "--version"]).split("\n")[0] ?? "runc",
    start: runContainer,
    config: "",
  },
  embedded: {
    title: () => "the demo's own runtime",
    start: embedded,
    config: "[nvidia-container-cli]\nno-cgroups = true\n",
  },
};
