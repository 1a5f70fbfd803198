import { readDriverVersion } from "../../driver/driver-version.ts";
import { ARCH_OF_SOC } from "../../driver/facts/l4t.ts";
import type { MountSpec } from "../../manifest/parse-manifest.ts";
import type { L4tRelease } from "../../manifest/select-manifests.ts";
import type { Report } from "../../model/finding.ts";
import { basename, below, type HostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import { checkRequirements } from "../../request/requirements.ts";
import { boardCuda } from "../compat/board-compat.ts";
import { LIBCUDA } from "../compat/forward-compat.ts";
import { boardNames } from "../detect-platform.ts";
import type { DeviceInput } from "../discover-input.ts";

/** NVML reports no brand for an integrated GPU. Images name brands of cards only, so this one meets none of them. */
const BRAND = "tegra";

/**
 * Checks an image's requirements for a board: CUDA by the note in libcuda or by the L4T release, the compute
 * capability by the SoC in the device tree, the driver's version where the kernel reports one.
 *
 * @throws {NvociError} as `checkRequirements` does.
 */
export function checkBoardRequirements(
  { host, config, request }: DeviceInput,
  specs: readonly MountSpec[],
  release: L4tRelease | undefined,
  report: Report,
): void {
  const roots = [...config.nvoci.alternateRoots, config.nvidiaContainerCli.root];
  const soc = boardNames(host).find((name) => Object.hasOwn(ARCH_OF_SOC, name));
  const facts = {
    driver: readDriverVersion(host),
    cuda: () => boardCuda(host, libcudaOf(host, roots, specs), release),
    gpus: [{ arch: soc === undefined ? undefined : ARCH_OF_SOC[soc], brands: [BRAND] }],
  };
  checkRequirements(request.requirements, facts, report);
}

/** Finds the host's libcuda by the entries of manifests. */
function libcudaOf(
  host: HostView,
  roots: readonly HostPath[],
  specs: readonly MountSpec[],
): HostPath | undefined {
  for (const { path } of specs.filter((spec) => LIBCUDA.test(basename(spec.path)))) {
    for (const root of roots) {
      const real = host.realPath(below(root, path));
      if (real !== undefined) return real;
    }
  }
  return undefined;
}
