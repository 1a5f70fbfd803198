import { BOARD_GPU_NAMES } from "../../driver/facts/boards.ts";
import { type Gpu, isSamePlace, parsePciAddress, readGpus } from "../../driver/gpus.ts";
import { NvociError } from "../../model/errors.ts";
import { finding, type Report } from "../../model/finding.ts";
import type { HostView } from "../../model/views.ts";
import type { Request } from "../../request/request.ts";
import { quote } from "../../text/quote.ts";

/** Discards findings: whoever reads the GPUs for their devices reports. */
export const LATER: Report = () => {};

/** Reports whether a GPU is integrated, by the driver's model names for Orin and Thor. */
export const isIntegrated = ({ model }: Gpu): boolean => model.includes("(nvgpu)") || model.includes("Thor");

/** A UUID as NVML reports it: with the prefix on Thor, without on Orin. */
const UUID = /^(?:GPU-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Reports whether an id names a board's integrated GPU.
 *
 * @param integrated the GPU as the driver reports it below /proc; `undefined` when it does not, as on Orin.
 */
export function isNamed(id: string, integrated: Gpu | undefined): boolean {
  if (BOARD_GPU_NAMES.includes(id)) return true;
  if (integrated === undefined) return false;
  if (id.toLowerCase() === integrated.uuid?.toLowerCase()) return true;
  const address = parsePciAddress(id);
  return address !== undefined && isSamePlace(address, integrated.address);
}

/**
 * Refuses a request for any GPU but the board's only one. If the driver does not report the UUID of that GPU, any UUID
 * is taken for its own, and reported: the kernel knows no better, and orchestrators that ask NVML send it.
 *
 * @throws {NvociError} "device-unknown" when the request names another GPU.
 */
export function refuseOtherGpus(host: HostView, { visibleDevices, source }: Request, report: Report): void {
  if (visibleDevices.kind !== "list") return;
  const ids = visibleDevices.ids.filter((id) => !BOARD_GPU_NAMES.includes(id));
  if (ids.length === 0) return;
  const integrated = readGpus(host, LATER).find(isIntegrated);
  for (const id of ids) {
    if (isNamed(id, integrated)) continue;
    if (integrated?.uuid === undefined && UUID.test(id)) {
      report(finding("device-id-unchecked", "info", source, { id }));
      continue;
    }
    throw new NvociError(
      "device-unknown",
      `Cannot use GPU ${quote(id)} (${source}): this board has only GPU "0"`,
      { hint: "set NVIDIA_VISIBLE_DEVICES=all or 0" },
    );
  }
}
