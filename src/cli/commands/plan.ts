import type { Argv } from "yargs";
import { readSpec } from "../../hook/read-spec.ts";
import { EXIT } from "../../model/errors.ts";
import { renderPlan } from "../../render/render-plan.ts";
import {
  absolutePath,
  type Choose,
  CONFIG_OPTION,
  type CommandContext,
  ENV_OPTION,
  JSON_OPTION,
  readVariables,
  textOption,
} from "../command.ts";
import { imaginaryContainer } from "../imaginary-container.ts";

interface PlanArguments {
  readonly bundle?: string | undefined;
  readonly env?: readonly string[] | undefined;
  readonly rootfs?: string | undefined;
  readonly config?: string | undefined;
  readonly json: boolean;
}

/** Adds `plan`, which prints what the hook would do to a container, without doing it. */
export const addPlan = (yargs: Argv, choose: Choose): Argv =>
  yargs.command(
    "plan",
    "print what the hook would do to a container, and what it would leave out and why",
    (command) =>
      command
        .option(
          "bundle",
          textOption(
            "bundle",
            "directory with the container's config.json; default: a container that requests everything",
          ),
        )
        .option("env", ENV_OPTION)
        .option(
          "rootfs",
          textOption("rootfs", "root directory of the container; default: the bundle's, or a Debian image's"),
        )
        .option("config", CONFIG_OPTION)
        .option("json", JSON_OPTION)
        .conflicts("bundle", "env"),
    (args) => choose((context) => runPlan(context, args)),
  );

const ASKS_NOTHING = { asks: false, operations: [], findings: [] };

function runPlan(context: CommandContext, args: PlanArguments): number {
  const { host, print } = context;
  const { bundle, env, rootfs } = args;
  const root = rootfs === undefined ? undefined : absolutePath(host, rootfs);
  const spec =
    bundle === undefined
      ? imaginaryContainer(readVariables(env))
      : readSpec(host, absolutePath(host, bundle))?.spec;
  const looked = root ?? (bundle === undefined ? undefined : spec?.root.path);
  const { asks, operations, findings } =
    spec === undefined ? ASKS_NOTHING : context.decide(spec, looked, args.config);
  if (args.json) print([JSON.stringify({ operations, findings }, null, 2)]);
  else print(renderPlan({ asks, operations, findings }));
  return EXIT.done;
}
