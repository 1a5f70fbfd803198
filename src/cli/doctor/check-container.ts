import { readDriverVersion } from "../../driver/driver-version.ts";
import { parseMountTable } from "../../execute/mount/mount-table.ts";
import { openImage } from "../../execute/rootfs/root-view.ts";
import { type Check, check } from "../../model/check.ts";
import { attempt, NvociError } from "../../model/errors.ts";
import { basename } from "../../model/paths.ts";
import type { CommandContext } from "../command.ts";
import { nearMissOf } from "./near-miss.ts";
import { findContainer } from "./running-container.ts";

/** Names of libraries whose file name ends with the driver's version. */
const VERSIONED = /^lib(?:cuda|nvidia-ml)\.so\.(\d+\.\d+(?:\.\d+)?)$/;

/**
 * Compares what a running container has with what it would get now. Only looks: by the root of the container's process,
 * inside of which every path stays.
 *
 * @throws {NvociError} "state-invalid" when there is no such container.
 */
export function checkContainer(
  context: CommandContext,
  name: string,
  config: string | undefined,
): readonly Check[] {
  const { pid, root, spec, mounts } = findContainer(context, name);
  const decision = attempt(() => context.decide(spec, root, config));
  if (decision instanceof NvociError) {
    const { message, hint } = decision;
    return [check("fail", "plan-impossible", { message, hint })];
  }
  if (!decision.asks) {
    return [check("fail", "container-asks-nothing", { id: name, nearMiss: nearMissOf(spec.env) })];
  }
  const wanted = decision.operations.flatMap((operation) =>
    operation.op === "allow-devices" || operation.op === "update-ldcache" ? [] : [operation.path],
  );
  const found = check("ok", "container-found", { id: name, pid, given: wanted.length });
  const stale = staleLibraries(mounts, readDriverVersion(context.host));
  if (stale.length > 0) return [...stale, found];
  const image = openImage(context.system, root, `/proc/${pid}`);
  const lacking = wanted.filter((path) => image.type(path, "itself") === undefined);
  return lacking.length === 0
    ? [found, check("ok", "container-complete", { given: wanted.length })]
    : [...lacking.map((path) => check("fail", "container-lacks", { path })), found];
}

/** Returns the mounted libraries of another version than the driver's, and those whose file the host has removed. */
function staleLibraries(mounts: string, version: string | undefined): readonly Check[] {
  if (version === undefined) return [];
  return parseMountTable(mounts)
    .filter(({ point }) => {
      const [, own] = VERSIONED.exec(basename(point)) ?? [];
      return own !== undefined && own !== version;
    })
    .map(({ point }) => check("fail", "container-stale", { path: point, version }));
}
