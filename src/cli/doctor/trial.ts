import { openThrowAwayRoot } from "../../execute/mount/throw-away-root.ts";
import { loadBundle } from "../../load.ts";
import { type Check, check } from "../../model/check.ts";
import { attempt, NvociError } from "../../model/errors.ts";
import type { Finding } from "../../model/finding.ts";
import { hostPath } from "../../model/paths.ts";
import { isInitialUserNamespace } from "../../model/views.ts";
import type { Operation } from "../../plan/operation.ts";
import { O_RDONLY } from "../../sys/constants.ts";
import { EPERM } from "../../sys/errno.ts";
import { CWD, type Syscalls } from "../../sys/syscalls.ts";
import { SystemError } from "../../sys/system-error.ts";
import type { HostFacts } from "./host-facts.ts";

/**
 * Gives the driver to a container that never runs: the plan is executed by the hook's own code, in a mount namespace and
 * on a file system of this process. It finds what reading does not: mounts that the kernel or a security module
 * refuses, and an ldconfig that fails.
 *
 * Device access is not tried, because there is no cgroup.
 */
export function runTrial({ host, isRoot, decision, system, files }: HostFacts): readonly Check[] {
  const plan = decision instanceof NvociError ? files : decision;
  if (plan instanceof NvociError) return [];
  if (!isRoot) return [check("ok", "trial-skipped", { reason: "it needs root" })];
  if (!isInitialUserNamespace(host)) {
    return [check("ok", "trial-skipped", { reason: "it needs the initial user namespace" })];
  }
  const operations = plan.operations.filter(({ op }) => op !== "allow-devices");
  const findings: Finding[] = [];
  const failure = attempt(() => perform(system, operations, findings));
  const found = findings
    .filter(({ severity }) => severity === "warning")
    .map((finding) => check("warn", "finding", { finding }));
  if (isWithoutNamespaces(failure)) {
    return [check("ok", "trial-skipped", { reason: "this process may not make a mount namespace" })];
  }
  if (failure instanceof NvociError) {
    const { message, hint } = failure;
    return [...found, check("fail", "trial-failed", { message, hint })];
  }
  return [...found, check("ok", "trial-passed", { operations: operations.length })];
}

/** A container that root has for itself may have no right to make namespaces, which says nothing about its host. */
const isWithoutNamespaces = (failure: unknown): boolean =>
  failure instanceof SystemError && failure.errno === EPERM && failure.call.startsWith("unshare(");

function perform(system: Syscalls, operations: readonly Operation[], findings: Finding[]): void {
  const open = (name: string) => system.openat(CWD, `/proc/self/ns/${name}`, O_RDONLY);
  const confinement = {
    network: open("net"),
    ipc: open("ipc"),
    owner: { uid: 0, gid: 0 },
    image: undefined,
    rebind: undefined,
    noPivot: false,
  };
  const used = operations.flatMap((operation) =>
    "hostPath" in operation ? [hostPath(operation.hostPath)] : [],
  );
  const root = openThrowAwayRoot(system, used);
  const { allowOpenFiles, execute } = loadBundle<typeof import("../../hook/inject.ts")>("hook");
  allowOpenFiles(system);
  execute(operations, {
    system,
    root,
    containerName: "of the trial",
    confinement,
    allowDevices: () => {},
    report: (found) => void findings.push(found),
  });
}
