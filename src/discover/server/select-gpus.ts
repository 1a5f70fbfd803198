import type { MigDevice } from "../../driver/capabilities.ts";
import { type Gpu, isSamePlace, parsePciAddress } from "../../driver/gpus.ts";
import { NvociError } from "../../model/errors.ts";
import type { VisibleDevices } from "../../request/request.ts";
import { quote } from "../../text/quote.ts";

/** The devices that a container gets, each once, in the order of the host. */
interface SelectedDevices {
  readonly gpus: readonly Gpu[];
  readonly migDevices: readonly MigDevice[];
}

/** The device of the host that one item of a list names. A whole GPU includes all its instances. */
type Match = { readonly gpu: Gpu; readonly mig?: MigDevice };

const MIG_BY_UUID = /^MIG-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MIG_BY_PARENT = /^MIG-(GPU-[0-9a-f-]+)\/(\d{1,3})\/(\d{1,3})$/i;
const MIG_BY_INDEX = /^(\d{1,3}):(\d{1,3})$/;
const INDEX = /^\d{1,3}$/;
const UUID_PREFIX = /^GPU-[0-9a-f][0-9a-f-]*$/i;

/**
 * Selects the GPUs and GPU instances that a list of devices names: by index (`0`), UUID or a prefix of one
 * (`GPU-8f3c`), PCI address (`0000:01:00.0`), GPU and instance (`0:1`) or `MIG-GPU-…/gi/ci`.
 *
 * @param source the variables that contain the list, for messages.
 * @throws {NvociError} "device-unknown" when an item of the list names no device or more than one.
 */
export function selectGpus(
  gpus: readonly Gpu[],
  migDevices: readonly MigDevice[],
  visible: VisibleDevices,
  source: string,
): SelectedDevices {
  if (visible.kind === "none") return { gpus: [], migDevices: [] };
  if (visible.kind === "all") {
    if (gpus.length === 0) refuse("all", source, "the driver has no GPU", gpus);
    return { gpus, migDevices };
  }
  const matches = visible.ids.map((id) => match(id, gpus, migDevices, source));
  const isWhole = (gpu: Gpu): boolean => matches.some((one) => one.gpu === gpu && one.mig === undefined);
  return {
    gpus: gpus.filter((gpu) => matches.some((one) => one.gpu === gpu)),
    migDevices: migDevices.filter((mig) => isWhole(mig.gpu) || matches.some((one) => one.mig === mig)),
  };
}

function match(id: string, gpus: readonly Gpu[], migDevices: readonly MigDevice[], source: string): Match {
  const unknown = (reason: string): never => refuse(id, source, reason, gpus);
  const pick = ([gpu, another]: readonly Gpu[]): Match => {
    if (another !== undefined) return unknown("more than one GPU of the host matches");
    if (gpu !== undefined) return { gpu };
    return unknown(gpus.length === 0 ? "the driver has no GPU" : "the host has no such GPU");
  };
  const pickMig = (mig: MigDevice | undefined): Match =>
    mig === undefined ? unknown("the host has no such GPU instance") : { gpu: mig.gpu, mig };

  if (INDEX.test(id)) return pick(gpus.filter((gpu) => gpu.index === Number(id)));
  const address = parsePciAddress(id);
  if (address !== undefined) return pick(gpus.filter((gpu) => isSamePlace(gpu.address, address)));

  const byIndex = MIG_BY_INDEX.exec(id);
  if (byIndex !== null) {
    const [gpu, index] = byIndex.slice(1).map(Number);
    return pickMig(migDevices.find((mig) => mig.gpu.index === gpu && mig.index === index));
  }
  const byParent = MIG_BY_PARENT.exec(id);
  if (byParent !== null) {
    const [gpuInstance, computeInstance] = byParent.slice(2).map(Number);
    const { gpu } = pick(gpus.filter((one) => hasUuid(one, byParent[1] ?? "")));
    return pickMig(
      migDevices.find(
        (mig) =>
          mig.gpu === gpu && mig.gpuInstance === gpuInstance && mig.computeInstance === computeInstance,
      ),
    );
  }
  if (MIG_BY_UUID.test(id)) {
    return unknown("the kernel does not report UUIDs of GPU instances; write GPU:INSTANCE, such as 0:1");
  }
  if (!UUID_PREFIX.test(id)) return unknown("this is not an index, a UUID or a PCI address");

  const exact = gpus.filter((gpu) => hasUuid(gpu, id));
  if (exact.length > 0) return pick(exact);
  const beginning = id.toLowerCase();
  const found = gpus.filter((gpu) => gpu.uuid?.toLowerCase().startsWith(beginning));
  if (found.length === 0 && gpus.some((gpu) => gpu.uuid === undefined)) {
    return unknown(
      "the driver reports a UUID only after the GPU's first use; run nvidia-smi or nvidia-persistenced",
    );
  }
  return pick(found);
}

const hasUuid = (gpu: Gpu, uuid: string): boolean => gpu.uuid?.toLowerCase() === uuid.toLowerCase();

function refuse(id: string, source: string, reason: string, gpus: readonly Gpu[]): never {
  throw new NvociError("device-unknown", `Cannot find GPU ${quote(id)} (${source}): ${reason}`, {
    output: gpus.map(
      (gpu) =>
        `the host has GPU ${gpu.index}: ${gpu.uuid ?? "UUID not yet known"}, ${gpu.busId}, ${gpu.model}`,
    ),
  });
}
