import type { Argv } from "yargs";
import { readDriverVersion } from "../../driver/driver-version.ts";
import { EXIT } from "../../model/errors.ts";
import { renderCheck, renderHealth } from "../../render/render-check.ts";
import { renderInfo } from "../../render/render-info.ts";
import { VERSION } from "../../version.ts";
import { type Choose, CONFIG_OPTION, type CommandContext } from "../command.ts";
import { diagnose } from "../diagnose.ts";
import { readHost } from "../read-host.ts";

/** Adds `info`, which prints the few facts that belong in every bug report. */
export const addInfo = (yargs: Argv, choose: Choose): Argv =>
  yargs.command(
    "info",
    "print version, platform, driver and configuration file",
    (command) => command.option("config", CONFIG_OPTION),
    (args) => choose((context) => runInfo(context, args.config)),
  );

function runInfo(context: CommandContext, config: string | undefined): number {
  const { loaded, platform, usesManifests, manifestDirectory } = readHost(context, config);
  context.print(
    renderInfo({
      version: VERSION,
      engine: "process" in globalThis ? "Node.js" : "QuickJS",
      arch: context.system.arch,
      platform,
      driver: readDriverVersion(context.host),
      configFile: loaded.file,
      manifestDirectory: usesManifests ? manifestDirectory : undefined,
    }),
  );
  return EXIT.done;
}

/** Adds `doctor`, which checks whether containers on this host can get their GPUs. */
export const addDoctor = (yargs: Argv, choose: Choose): Argv =>
  yargs.command(
    "doctor",
    "check whether containers can get their GPUs; exit status 1 if they cannot",
    (command) =>
      command
        .option("verbose", {
          alias: "v",
          type: "boolean",
          default: false,
          describe: "also list the device nodes and missing files",
        })
        .option("config", CONFIG_OPTION),
    (args) => choose((context) => runDoctor(context, args.config, args.verbose)),
  );

function runDoctor(context: CommandContext, config: string | undefined, verbose: boolean): number {
  const checks = diagnose(context, config);
  context.print([...checks.flatMap((result) => renderCheck(result, verbose)), renderHealth(checks)]);
  return checks.some(({ status }) => status === "fail") ? EXIT.failed : EXIT.done;
}
