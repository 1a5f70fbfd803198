import { join } from "node:path";
import { buildSync } from "esbuild";
import type { Bundle } from "../fixtures/bundle.ts";
import { runContainer, writeCommand } from "../fixtures/run/container.ts";
import { type CommandResult, mustRun, runCommand } from "../fixtures/run/run-command.ts";

/** A way to run a container. */
interface Runtime {
  /** Its name for messages. */
  title(): string;
  /** The config.toml for it: without its own cgroup the container has no device rules to change. */
  readonly config: string;
  /** Runs a command in the bundle's container to its end. */
  start(bundle: Bundle, command: readonly string[]): CommandResult;
}

/** Runs the container with the demo's own runtime, which uses the Node.js build's system calls. */
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

/** Runtimes by their names in NVOCI_DEMO_RUNTIME. */
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
