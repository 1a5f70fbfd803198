import type { Command } from "../../model/check.ts";
import { hostPath } from "../../model/paths.ts";
import { type HostView, readText } from "../../model/views.ts";
import { findProgram } from "./programs.ts";

/** A part of the driver that is a package of its own. */
export type DriverPart = "manifests" | "core" | "cuda" | "utility";

/** How a distribution names the parts. `*` is the first number of the driver's version. */
interface Distribution {
  readonly manager: string;
  /** The command that installs a package again, before its name. */
  readonly reinstall: Command;
  /** `ID` or `ID_LIKE` of os-release(5); absent: any. */
  readonly like?: string;
  /** The command that installs the whole driver. */
  readonly driver?: Command;
  readonly parts: Partial<Readonly<Record<DriverPart, string>>>;
}

const APT: Command = ["apt-get", "install", "--reinstall"];

/** @see the file lists of JetPack's packages and of meta-tegra's recipes */
const BOARDS: readonly Distribution[] = [
  {
    manager: "apt-get",
    reinstall: APT,
    parts: { manifests: "nvidia-l4t-init", core: "nvidia-l4t-core", cuda: "nvidia-l4t-cuda" },
  },
  {
    manager: "opkg",
    reinstall: ["opkg", "install", "--force-reinstall"],
    parts: {
      manifests: "tegra-configs-container-csv",
      core: "tegra-libraries-core",
      cuda: "tegra-libraries-cuda",
    },
  },
];

/** @see the file lists of Ubuntu's, Debian's and NVIDIA's packages */
const SERVERS: readonly Distribution[] = [
  {
    manager: "apt-get",
    reinstall: APT,
    like: "ubuntu",
    driver: ["ubuntu-drivers", "install"],
    parts: { cuda: "libnvidia-compute-*", utility: "libnvidia-compute-*" },
  },
  {
    manager: "apt-get",
    reinstall: APT,
    like: "debian",
    driver: ["apt-get", "install", "nvidia-driver"],
    parts: { cuda: "libcuda1", utility: "libnvidia-ml1" },
  },
  { manager: "dnf", reinstall: ["dnf", "reinstall"], parts: { cuda: "nvidia-driver-cuda-libs" } },
];

/** Returns the first distribution that this host is. */
function findDistribution(host: HostView, all: readonly Distribution[]): Distribution | undefined {
  const release = readText(host, hostPath("/etc/os-release")) ?? "";
  const lines = [...release.matchAll(/^ID(?:_LIKE)?=["']?([^"'\n]*)/gm)];
  const likes = lines.flatMap(([, text = ""]) => text.split(" "));
  return all.find(
    ({ manager, like }) =>
      (like === undefined || likes.includes(like)) && findProgram(host, manager) !== undefined,
  );
}

/** Returns the command that installs a server's driver; `undefined` where it is not known. */
export const installDriver = (host: HostView): Command | undefined => findDistribution(host, SERVERS)?.driver;

/**
 * Returns the command that installs a part of the driver again; `undefined` where the package's name is not known.
 *
 * @param version the driver's version on a server; `undefined` on a board.
 */
export function reinstall(
  host: HostView,
  part: DriverPart,
  version: string | undefined,
): Command | undefined {
  const found = findDistribution(host, version === undefined ? BOARDS : SERVERS);
  const name = found?.parts[part];
  return found && name ? [...found.reinstall, name.replace("*", version?.split(".")[0] ?? "")] : undefined;
}
