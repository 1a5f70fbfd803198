import { expect, it } from "vitest";
import { installDriver, reinstall } from "../../../../src/cli/doctor/packages.ts";
import { memoryHost } from "../../../support/host/memory-host.ts";

const host = (release: string, manager: string) =>
  memoryHost([`file /etc/os-release = ${JSON.stringify(release)}`, `file /usr/bin/${manager}`]);
const UBUNTU = host('NAME="x"\nID=ubuntu\nID_LIKE=debian\n', "apt-get");
const MINT = host('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "apt-get");
const DEBIAN = host("ID=debian\n", "apt-get");
const FEDORA = host("ID=fedora\n", "dnf");
const YOCTO = host("ID=poky\n", "opkg");

it.each([
  [UBUNTU, "550.54.14", "cuda", "apt-get install --reinstall libnvidia-compute-550"],
  [MINT, "550.54.14", "utility", "apt-get install --reinstall libnvidia-compute-550"],
  [DEBIAN, "535.1", "cuda", "apt-get install --reinstall libcuda1"],
  [DEBIAN, "535.1", "utility", "apt-get install --reinstall libnvidia-ml1"],
  [FEDORA, "535.1", "cuda", "dnf reinstall nvidia-driver-cuda-libs"],
  [UBUNTU, undefined, "manifests", "apt-get install --reinstall nvidia-l4t-init"],
  [YOCTO, undefined, "manifests", "opkg install --force-reinstall tegra-configs-container-csv"],
] as const)("reinstall() names the distribution's package (%#)", (view, version, part, command) => {
  expect(reinstall(view, part, version)?.join(" ")).toBe(command);
});

it("reinstall() names no package that it does not know", () => {
  expect(reinstall(memoryHost([]), "cuda", "535.1")).toBeUndefined();
  expect(reinstall(FEDORA, "utility", "535.1")).toBeUndefined();
  expect(reinstall(host("ID=arch\n", "pacman"), "cuda", "535.1")).toBeUndefined();
});

it("installDriver() knows Ubuntu's and Debian's way", () => {
  expect(installDriver(UBUNTU)).toEqual(["ubuntu-drivers", "install"]);
  expect(installDriver(DEBIAN)).toEqual(["apt-get", "install", "nvidia-driver"]);
  expect(installDriver(FEDORA)).toBeUndefined();
});
