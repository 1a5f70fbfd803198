import type { Argv } from "yargs";
import type { Check } from "../../model/check.ts";
import { EXIT } from "../../model/errors.ts";
import { checkToJson, renderCheck, renderHealth } from "../../render/render-check.ts";
import { type Choose, CONFIG_OPTION, type CommandContext, JSON_OPTION, textOption } from "../command.ts";
import { applyFixes } from "../doctor/apply-fixes.ts";
import { checkContainer } from "../doctor/check-container.ts";
import { diagnose } from "../doctor/diagnose.ts";

interface DoctorArguments {
  readonly verbose: boolean;
  readonly json: boolean;
  // No default value: yargs would report it as a conflict.
  readonly fix?: boolean | undefined;
  readonly container?: string | undefined;
  readonly config?: string | undefined;
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
        .option("fix", {
          type: "boolean",
          describe: "run the commands that only add something and can be taken back",
        })
        .option(
          "container",
          textOption("container", "check a running container instead: its id, its name in Docker, or a pid"),
        )
        .option("json", JSON_OPTION)
        .option("config", CONFIG_OPTION)
        .conflicts("container", "fix"),
    (args) => choose((context) => runDoctor(context, args)),
  );

function runDoctor(context: CommandContext, args: DoctorArguments): number {
  const { container, config, verbose, json, fix } = args;
  if (fix) {
    const before = diagnose(context, config, { trial: false });
    applyFixes(context, before, json ? () => {} : context.print);
  }
  const checks =
    container === undefined ? diagnose(context, config) : checkContainer(context, container, config);
  const hasFailed = checks.some(({ status }) => status === "fail");
  if (json) context.print([JSON.stringify(toJson(checks, hasFailed), null, 2)]);
  else context.print([...checks.flatMap((result) => renderCheck(result, verbose)), renderHealth(checks)]);
  return hasFailed ? EXIT.failed : EXIT.done;
}

/** The document of `--json`, described in nvoci(1). */
const toJson = (checks: readonly Check[], hasFailed: boolean): object => ({
  schema: "nvoci/doctor/1",
  healthy: !hasFailed,
  checks: checks.map(checkToJson),
});
