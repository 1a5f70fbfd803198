import { join } from "node:path";
import { build } from "esbuild";
import { attempt, run } from "./run.mjs";

/** Runs the bundle's container with runc. */
async function runc({ bundle, id, directory }) {
  return attempt(["runc", "--root", join(directory, "runc"), "run", "--bundle", bundle, id]);
}

/** Runs it with the demo's own runtime, on the system calls of the Node.js build. */
async function embedded({ bundle, id, directory, program }) {
  const outfile = join(directory, "mini-runtime.cjs");
  await build({
    entryPoints: [join(import.meta.dirname, "mini-runtime.ts")],
    outfile,
    bundle: true,
    platform: "node",
    logLevel: "warning",
  });
  const addon = join(program, "../node/nvoci.node");
  return attempt([process.execPath, outfile, addon, bundle, id]);
}

/**
 * The ways to run a container. `title` names it to people; `config` is what config.toml says for it: without a
 * cgroup of the container's own there is none to change.
 */
export const RUNTIMES = {
  runc: { title: () => run(["runc", "--version"]).split("\n")[0], start: runc, config: "" },
  embedded: {
    title: () => "the demo's own runtime",
    start: embedded,
    config: "[nvidia-container-cli]\nno-cgroups = true\n",
  },
};
