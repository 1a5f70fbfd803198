import { describe, expect, it } from "vitest";
import { KERNEL_MODULES } from "../../../src/driver/facts/control-nodes.ts";
import { type HostSetup, setUpHost } from "../../../src/host-setup/set-up-host.ts";
import { hostPath } from "../../../src/model/paths.ts";
import { renderSetup } from "../../../src/render/render-info.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";
import { ALL_LINKS, ALL_NODES, BARE_SERVER } from "../../support/host/bare-server.ts";
import { memoryHost } from "../../support/host/memory-host.ts";
import { fakeSyscalls } from "../../support/kernel/fake-syscalls.ts";

const SETUP: HostSetup = {
  moduleRoot: hostPath("/"),
  deviceRoot: hostPath("/"),
  modules: KERNEL_MODULES,
  load: true,
  imexChannels: [],
  devChar: true,
};
/** A kernel without calls: any call fails the test. */
const NO_KERNEL = fakeSyscalls({});

function dryRun(tree: readonly string[], setup: Partial<HostSetup> = {}) {
  const { value: done, findings } = collectFindings((report) =>
    setUpHost(NO_KERNEL, memoryHost(tree), { ...SETUP, ...setup }, report, true),
  );
  return { lines: renderSetup(done, true), codes: findings.map(({ code }) => code) };
}
const without = (...parts: readonly string[]): string[] =>
  BARE_SERVER.filter((line) => !parts.some((part) => line.includes(part)));

describe("setUpHost() in a dry run", () => {
  it("plans all nodes of a running driver with their links", () => {
    const { lines, codes } = dryRun(BARE_SERVER);
    expect(lines[0]).toBe("would create device /dev/nvidiactl (c 195:255, mode 0666, owner 0:0)");
    expect(lines.filter((line) => line.includes("would create device"))).toHaveLength(ALL_NODES.length);
    expect(lines.filter((line) => line.includes("would create link"))).toHaveLength(ALL_LINKS.length);
    expect(codes).toEqual([]);
  });

  it("plans nothing on a complete host", () => {
    const { lines, codes } = dryRun([...BARE_SERVER, ...ALL_NODES, ...ALL_LINKS]);
    expect([lines, codes]).toEqual([["Nothing to do."], []]);
  });

  it("leaves /dev/char alone on request", () => {
    expect(dryRun([...BARE_SERVER, ...ALL_NODES], { devChar: false }).lines).toEqual(["Nothing to do."]);
  });

  it("plans to load missing modules in the order of their dependencies", () => {
    const { lines } = dryRun(without("/sys/module", "/proc/driver"));
    expect(lines.slice(0, 3)).toEqual([
      "would load kernel module nvidia",
      "would load kernel module nvidia-uvm",
      "would load kernel module nvidia-modeset",
    ]);
    expect(lines).toContain("would create device /dev/nvidia1 (c 195:1, mode 0666, owner 0:0)");
  });

  it("does not invent the number of a node whose module is not loaded yet", () => {
    const { lines, codes } = dryRun(without("nvidia_uvm", "/proc/devices"));
    expect(lines).toContain("would load kernel module nvidia-uvm");
    expect(lines.join()).not.toContain("/dev/nvidia-uvm");
    expect(codes).toEqual(["device-number-unknown", "device-number-unknown"]);
  });

  it("creates nothing for a driver that is not running", () => {
    const { lines, codes } = dryRun(without("/sys/module", "/proc/driver"), { load: false });
    expect([lines, codes]).toEqual([["Nothing to do."], ["driver-not-loaded"]]);
  });

  it("creates no node for a module that is not loaded, even if its number is fixed", () => {
    const { lines } = dryRun(without("nvidia_modeset"), { load: false });
    expect(lines.join()).not.toContain("modeset");
  });

  it("treats a module that is built into the kernel as present", () => {
    const tree = [...without("nvidia_modeset"), "file /sys/module/nvidia_modeset/version"];
    expect(dryRun(tree, { load: false }).lines.join()).toContain("/dev/nvidia-modeset");
  });
});

describe("setUpHost()", () => {
  const root = fakeSyscalls({ geteuid: () => 0 });
  const map = (ids: string) => `file /proc/self/uid_map = "${ids}\\n"`;

  it.each([
    ["uid_map", "0 100000 65536"],
    ["gid_map", "0 100000 65536"],
    ["uid_map", "0 0 1"],
    ["uid_map", ""],
  ])("changes nothing in a user namespace: %s %j", (file, ids) => {
    const tree = [...without(file), map(ids).replace("uid_map", file)];
    const { value: done, findings } = collectFindings((report) =>
      setUpHost(root, memoryHost(tree), SETUP, report),
    );
    expect(done).toEqual([]);
    expect(findings).toMatchObject([{ code: "host-setup-skipped", args: { reason: "user-namespace" } }]);
  });

  it("changes nothing without root privileges", () => {
    const user = fakeSyscalls({ geteuid: () => 1000 });
    const { value: done, findings } = collectFindings((report) =>
      setUpHost(user, memoryHost(BARE_SERVER), SETUP, report),
    );
    expect(done).toEqual([]);
    expect(findings).toMatchObject([{ code: "host-setup-skipped", args: { reason: "not-root" } }]);
  });

  it("works on a kernel without user namespaces", () => {
    const system = fakeSyscalls({ geteuid: () => 0, umask: () => 0 });
    const tree = [...without("uid_map", "gid_map"), ...ALL_NODES, ...ALL_LINKS];
    const result = collectFindings((report) => setUpHost(system, memoryHost(tree), SETUP, report));
    expect(result).toEqual({ value: [], findings: [] });
  });
});
