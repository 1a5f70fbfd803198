// The part of the demo that runs in the private mount namespace: node inside.mjs DIRECTORY PROGRAM RUNTIME

import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeBundle } from "./bundle.mjs";
import { compileProgram } from "./compile.mjs";
import { layHost } from "./host.mjs";
import { makeImage } from "./image.mjs";
import { LOOK_AROUND, parseSections } from "./look-around.mjs";
import { createReport } from "./report.mjs";
import { run } from "./run.mjs";
import { RUNTIMES } from "./runtimes.mjs";
import { showContainer } from "./show-container.mjs";
import { showHost } from "./show-host.mjs";

const [directory, program, runtimeName] = process.argv.slice(2);

async function demo() {
  const report = createReport();
  const bundle = join(directory, "bundle");
  const id = `nvoci-demo-${process.pid}`;
  const runtime = RUNTIMES[runtimeName];
  mkdirSync(bundle);
  layHost(directory);
  makeImage(join(bundle, "rootfs"));

  const timed = join(directory, "timed");
  compileProgram(timed, readFileSync(join(import.meta.dirname, "timed.c"), "utf8"));
  const time = join(directory, "microseconds");
  const config = join(directory, "config.toml");
  writeFileSync(config, runtime.config);
  const nvoci = realpathSync(program);
  const hook = [timed, time, nvoci, "hook", "-config", config, "prestart"];
  writeBundle(bundle, { script: LOOK_AROUND, hook, id });

  const plan = JSON.parse(run([nvoci, "plan", "--json", "--bundle", bundle, "--config", config]));
  const findings =
    run([nvoci, "plan", "--bundle", bundle, "--config", config]).split("\nFindings:\n")[1] ?? "";
  showHost(report, plan);

  const { status, stdout, stderr } = await runtime.start({ bundle, id, directory, program });
  report.section(`The container, started by ${runtime.title()}`);
  report.check(`ends with status 0${stderr.trim() && `: ${stderr.trim()}`}`, status === 0 && stderr === "");
  showContainer(report, parseSections(stdout), findings.trim().split("\n"));

  report.section("The hook");
  const milliseconds = Number(readFileSync(time, "utf8")) / 1000;
  const engine = /^engine +(.*)$/m.exec(run([nvoci, "info"]))?.[1];
  report.line(
    `${plan.operations.length} operations in ${milliseconds.toFixed(1)} ms, ldconfig included (${engine})`,
  );
  return report.failures();
}

const failures = await demo().catch((error) => {
  console.error(`The demo did not get to its end. ${error.message}`);
  return 1;
});
process.exitCode = failures === 0 ? 0 : 1;
