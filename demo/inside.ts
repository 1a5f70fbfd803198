/** The part of the demo that runs in the private mount namespace: `inside.ts DIRECTORY PROGRAM RUNTIME`. */
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBundle } from "../fixtures/bundle.ts";
import { mustRun } from "../fixtures/run/run-command.ts";
import { compileProgram } from "./compile.ts";
import { makeHost } from "./host.ts";
import { makeImage } from "./image.ts";
import { LOOK_AROUND, parseSections } from "./look-around.ts";
import { createReport } from "./report.ts";
import { RUNTIMES } from "./runtimes.ts";
import { showContainer } from "./show-container.ts";
import { type Plan, showHost } from "./show-host.ts";

const [directory = "", program = "", runtimeName] = process.argv.slice(2);
const ENV = [
  ...["LC_ALL=C", "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=all"],
  "NVIDIA_REQUIRE_JETPACK=csv-mounts=all",
];

/** Runs the demo and returns the number of failed checks. */
function demo(): number {
  const report = createReport();
  const runtime = RUNTIMES[runtimeName === "runc" ? "runc" : "embedded"];
  const timed = join(directory, "timed");
  compileProgram(timed, readFileSync(join(import.meta.dirname, "timed.c"), "utf8"));
  const time = join(directory, "microseconds");
  const config = join(directory, "config.toml");
  writeFileSync(config, runtime.config);
  const nvoci = realpathSync(program);

  const host = makeHost(join(directory, "libraries"));
  host.lay();
  const hook = [timed, time, nvoci, "hook", "-config", config, "prestart"];
  const bundle = makeBundle({
    rootfs: makeImage,
    env: ENV,
    hooks: { prestart: [{ path: timed, args: hook, env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] }] },
  });
  try {
    const command = [nvoci, "plan", "--bundle", bundle.directory, "--config", config];
    const plan: Plan = JSON.parse(mustRun([...command, "--json"]));
    const [, findings = ""] = mustRun(command).split("\nFindings:\n");
    showHost(report, plan);

    const { status, stdout, stderr } = runtime.start(bundle, ["/bin/sh", "-c", LOOK_AROUND]);
    report.section(`The container, started by ${runtime.title()}`);
    report.check(`ends with status 0${stderr.trim() && `: ${stderr.trim()}`}`, status === 0 && stderr === "");
    showContainer(report, parseSections(stdout), findings.trim().split("\n"));

    report.section("The hook");
    const milliseconds = Number(readFileSync(time, "utf8")) / 1000;
    const engine = /^engine +(.*)$/m.exec(mustRun([nvoci, "info"]))?.[1];
    report.line(
      `${plan.operations.length} operations in ${milliseconds.toFixed(1)} ms, ldconfig included (${engine})`,
    );
    return report.failures();
  } finally {
    bundle.remove();
    host.remove();
  }
}

try {
  process.exitCode = demo() === 0 ? 0 : 1;
} catch (error) {
  console.error(`Cannot finish the demo: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
