import { configPath } from "../../config/config-path.ts";
import { type Check, check } from "../../model/check.ts";
import { attempt, NvociError } from "../../model/errors.ts";
import { machineOf } from "../../model/machine.ts";
import { basename, dirname, type HostPath, hostPath } from "../../model/paths.ts";
import { renderPlatform } from "../../render/render-info.ts";
import { AT_SYMLINK_NOFOLLOW } from "../../sys/constants.ts";
import { CWD } from "../../sys/syscalls.ts";
import { absolutePath, type CommandContext } from "../command.ts";
import { imaginaryContainer } from "../imaginary-container.ts";
import { readHost } from "../read-host.ts";
import { askService } from "./ask-service.ts";
import { onlyCauses } from "./causes.ts";
import { checkBoard, checkUnknownBoard } from "./check-board.ts";
import { checkConfig } from "./check-config.ts";
import { checkEngines } from "./check-engines.ts";
import { checkDevices } from "./check-nodes.ts";
import { checkServer } from "./check-server.ts";
import { checkCgroup, checkKernel, checkLdconfig, checkRuntime } from "./check-system.ts";
import type { HostFacts } from "./host-facts.ts";
import { findProgram } from "./programs.ts";
import { runTrial } from "./trial.ts";

/** Looks at one area of the host. Changes nothing, and returns at least one result for what is well. */
type Look = (facts: HostFacts) => readonly Check[];

/** Every check, in the order in which results of the same status are printed: causes are before what depends on them. */
const LOOKS: readonly Look[] = [
  ({ isRoot }) => (isRoot ? [] : [check("warn", "not-root", {})]),
  ({ report }) => [check("ok", "platform", { platform: renderPlatform(report.platform) })],
  ({ report }) => checkConfig(report),
  checkUnknownBoard,
  (facts) => (facts.report.usesManifests ? checkBoard(facts) : checkServer(facts)),
  checkPlan,
  checkDevices,
  ({ host, report }) => checkLdconfig(host, report.loaded),
  ({ host, report }) => [checkCgroup(host, report.loaded.config.nvidiaContainerCli.noCgroups)],
  (facts) => [checkKernel(facts)],
  ({ host, report }) => [checkRuntime(host, report.loaded.config)],
  checkEngines,
];

/**
 * Checks everything that a container's GPU depends on. Changes nothing on the host.
 *
 * @param config the value of `--config`.
 * @param options `trial`: whether to try the plan. It is the last thing that a process can do.
 * @returns causes before everything else, without what only follows from them.
 */
export function diagnose(
  context: CommandContext,
  config: string | undefined,
  { trial = true }: { readonly trial?: boolean } = {},
): readonly Check[] {
  const report = attempt(() => readHost(context, config));
  if (report instanceof NvociError) {
    const { message, hint } = report;
    const option = config === undefined ? undefined : absolutePath(context.host, config);
    const { path: file } = configPath(context.environ, option);
    return [check("fail", "config-invalid", { file, message, hint }), checkKernel(context)];
  }
  const { system, host, environ } = context;
  const planFor = (env: readonly string[]) =>
    attempt(() => context.decide(imaginaryContainer(env), undefined, config));
  const facts: HostFacts = {
    system,
    host,
    environ,
    machine: machineOf(system.arch),
    isRoot: system.geteuid() === 0,
    self: ownProgram(context),
    report,
    decision: planFor([]),
    files: planFor(["NVIDIA_VISIBLE_DEVICES=none"]),
    changed: (path) => system.statx(CWD, path, AT_SYMLINK_NOFOLLOW)?.changed,
    ask: (socket, path) => askService(system, socket, path),
  };
  return onlyCauses([...LOOKS, ...(trial ? [runTrial] : [])].flatMap((look) => look(facts)));
}

/**
 * Returns this program's file. A program of Node.js is the launcher that people call, not Node.js itself: without the
 * launcher it would obey an image's NODE_OPTIONS.
 */
function ownProgram({ host }: CommandContext): HostPath {
  const self = host.realPath(hostPath("/proc/self/exe")) ?? hostPath("/usr/bin/nvoci");
  const name = basename(self);
  if (name.startsWith("nvoci") && name !== NODE_EXECUTABLE) return self;
  const beside = name === NODE_EXECUTABLE ? findProgram(host, `${dirname(self)}/nvoci`) : undefined;
  return beside ?? findProgram(host, "nvoci") ?? hostPath("/usr/bin/nvoci");
}

/** The executable made with pkg, which a launcher starts. */
const NODE_EXECUTABLE = "nvoci-node";

/** Reports whether there is a plan for a container that requests everything. */
function checkPlan({ decision }: HostFacts): readonly Check[] {
  if (!(decision instanceof NvociError)) {
    return [check("ok", "plan-made", { operations: decision.operations.length })];
  }
  const { message, hint } = decision;
  return [check("fail", "plan-impossible", { message, hint })];
}
