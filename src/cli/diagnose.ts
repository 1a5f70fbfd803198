import { readDriverVersion } from "../driver/driver-version.ts";
import { append } from "../model/budget.ts";
import { attempt, NvociError } from "../model/errors.ts";
import { type Check, check } from "../render/render-check.ts";
import type { CommandContext } from "./command.ts";
import {
  checkCgroup,
  checkDevices,
  checkDocker,
  checkKernel,
  checkLdconfig,
  checkManifests,
  checkPrograms,
} from "./host-checks.ts";
import { type Decision, imaginaryContainer } from "./imaginary-container.ts";
import { type HostReport, readHost } from "./read-host.ts";

/**
 * Checks everything that a container's GPU depends on. Changes nothing.
 *
 * @param config the value of `--config`.
 */
export function diagnose(context: CommandContext, config: string | undefined): Check[] {
  const checks: Check[] = context.system.geteuid() === 0 ? [] : [check("warn", "not-root", {})];
  const facts = attempt(() => readHost(context, config));
  if (facts instanceof NvociError) {
    return [...checks, check("fail", "config-invalid", { message: facts.message }), checkKernel(context)];
  }
  const { host } = context;
  const { loaded } = facts;
  return [
    ...checks,
    check("ok", "platform", { platform: facts.platform }),
    loaded.file === undefined
      ? check("ok", "config-default", {})
      : check("ok", "config-file", { file: loaded.file }),
    ...facts.configFindings.map((finding) => check("warn", "finding", { finding })),
    ...checkDriver(context, facts, config),
    ...checkLdconfig(host, loaded.config),
    checkCgroup(host, loaded.config.nvidiaContainerCli.noCgroups),
    checkKernel(context),
    ...checkPrograms(host, loaded.config),
    checkDocker(host),
  ];
}

/** Checks the driver with the plan for a container that requests everything. */
function checkDriver(context: CommandContext, facts: HostReport, config: string | undefined): Check[] {
  const { host } = context;
  const decision = attempt(() => context.decide(imaginaryContainer(), undefined, config));
  const version = facts.usesManifests ? undefined : readDriverVersion(host);
  const checks: Check[] = [];
  if (version !== undefined) checks.push(check("ok", "driver-loaded", { version }));
  else if (!facts.usesManifests) checks.push(check("fail", "driver-missing", {}));
  if (facts.usesManifests) append(checks, checkManifests(facts, findingsOf(decision)));
  if (decision instanceof NvociError) {
    // "driver-missing" already reports this.
    if (decision.code === "platform-unsupported" && checks.some(({ code }) => code === "driver-missing"))
      return checks;
    return [...checks, check("fail", "plan-impossible", { message: decision.message })];
  }
  const { operations } = decision;
  return [
    ...checks,
    check("ok", "plan-made", { operations: operations.length }),
    ...checkDevices(host, operations),
  ];
}

const findingsOf = (decision: Decision | NvociError): Decision["findings"] =>
  decision instanceof NvociError ? [] : decision.findings;
