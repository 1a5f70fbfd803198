import type { Argv } from "yargs";
import { loadConfig } from "../../config/load-config.ts";
import { driverNodeRoot } from "../../driver/device-nodes.ts";
import { KERNEL_MODULES } from "../../driver/facts/control-nodes.ts";
import { setUpHost } from "../../host-setup/set-up-host.ts";
import { EXIT } from "../../model/errors.ts";
import type { Finding } from "../../model/finding.ts";
import { renderFinding } from "../../render/render-finding.ts";
import { renderSetup } from "../../render/render-info.ts";
import { absolutePath, type Choose, CONFIG_OPTION, type CommandContext } from "../command.ts";

interface CreateDeviceNodesArguments {
  readonly dryRun: boolean;
  readonly noLoadKmods: boolean;
  readonly noDevChar: boolean;
  readonly config?: string | undefined;
}

/**
 * Sets up the host as the hook does for a container that requests everything. Returns status 1 when a part fails.
 */
function runCreateDeviceNodes(context: CommandContext, args: CreateDeviceNodesArguments): number {
  const { system, host, environ, print } = context;
  const option = args.config === undefined ? undefined : absolutePath(host, args.config);
  const findings: Finding[] = [];
  const { config } = loadConfig(host, environ, option, [], () => {});
  const { root } = config.nvidiaContainerCli;
  const setup = {
    moduleRoot: root,
    deviceRoot: driverNodeRoot(host, root),
    modules: KERNEL_MODULES,
    load: !args.noLoadKmods,
    imexChannels: [],
    devChar: !args.noDevChar,
  };
  const done = setUpHost(system, host, setup, (found) => findings.push(found), args.dryRun);
  const failed = findings.some(({ severity }) => severity === "warning");
  if (done.length > 0 || !failed) print(renderSetup(done, args.dryRun));
  print(findings.map((finding) => `${finding.severity}: ${renderFinding(finding)}`));
  return failed ? EXIT.failed : EXIT.done;
}

/** Adds `system create-device-nodes`. */
export const addSystem = (yargs: Argv, choose: Choose): Argv =>
  yargs.command("system", "prepare the host itself", (command) =>
    command.demandCommand(1, "no action given").command(
      "create-device-nodes",
      "load the driver's kernel modules and create its device nodes if they are missing",
      (create) =>
        create
          .option("dry-run", { type: "boolean", default: false, describe: "only print what would be done" })
          .option("no-load-kmods", {
            type: "boolean",
            default: false,
            describe: "do not load kernel modules",
          })
          .option("no-dev-char", {
            type: "boolean",
            default: false,
            describe: "do not create links in /dev/char",
          })
          .option("config", CONFIG_OPTION),
      (args) => choose((context) => runCreateDeviceNodes(context, args)),
    ),
  );
