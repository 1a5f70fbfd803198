import { describe, expect, it } from "vitest";
import { parseDeviceFileRules } from "../../../src/driver/capabilities.ts";
import type { DriverNode } from "../../../src/host-setup/driver-nodes.ts";
import { planNodes } from "../../../src/host-setup/plan-nodes.ts";
import { hostPath } from "../../../src/model/paths.ts";
import { renderSetup } from "../../../src/render/render-info.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";
import { memoryHost } from "../../support/host/memory-host.ts";

const node = (path: string, major: number, minor: number, params = ""): DriverNode => ({
  path,
  major,
  minor,
  rules: parseDeviceFileRules(params),
});
const CTL = node("/dev/nvidiactl", 195, 255);
const CAPS = [1, 2].map((minor) => node(`/dev/nvidia-caps/nvidia-cap${minor}`, 234, minor));

function plan(
  tree: readonly string[],
  nodes: readonly DriverNode[],
  { root = "/", devChar = false }: { root?: string; devChar?: boolean } = {},
) {
  const host = memoryHost(["dir /dev", ...tree]);
  const { value: plans, findings } = collectFindings((report) =>
    planNodes(host, { root: hostPath(root), nodes, devChar }, report),
  );
  const actions = plans.flatMap((one) => one.actions);
  return { actions, lines: actions.length === 0 ? [] : renderSetup(actions, false), findings };
}

describe("planNodes()", () => {
  it("creates missing nodes with the driver's parameters", () => {
    const wanted = node("/dev/nvidia0", 195, 0, "DeviceFileUID: 7\nDeviceFileGID: 44\nDeviceFileMode: 432");
    expect(plan([], [wanted]).actions).toEqual([
      { do: "make-node", path: "/dev/nvidia0", major: 195, minor: 0, mode: 0o660, uid: 7, gid: 44 },
    ]);
  });

  it.each([
    ["is right", "char /dev/nvidiactl 195:255 0666"],
    ["has another mode and owner on purpose", "char /dev/nvidiactl 195:255 0600 0:44"],
    ["is a link to one that is right", "symlink /dev/nvidiactl -> elsewhere/ctl"],
  ])("leaves a node alone that %s", (_, line) => {
    expect(plan(["char /dev/elsewhere/ctl 195:255 0666", line], [CTL]).actions).toEqual([]);
  });

  it.each([
    ["a node with another major number", "char /dev/nvidiactl 196:255 0666"],
    ["a node with another minor number", "char /dev/nvidiactl 195:0 0666"],
    ["a block device", "block /dev/nvidiactl 195:255 0666"],
    ["a file", "file /dev/nvidiactl 0666"],
    ["a link to nothing", "symlink /dev/nvidiactl -> none"],
    ["a link to itself", "symlink /dev/nvidiactl -> nvidiactl"],
    ["a link to another device", "symlink /dev/nvidiactl -> null"],
  ])("replaces %s", (_, line) => {
    expect(plan(["char /dev/null 1:3 0666", line], [CTL]).lines).toEqual([
      "removed /dev/nvidiactl",
      "created device /dev/nvidiactl (c 195:255, mode 0666, owner 0:0)",
    ]);
  });

  it("creates a directory once, before its content", () => {
    expect(plan([], CAPS).actions.map((action) => action.do)).toEqual([
      "make-directory",
      "make-node",
      "make-node",
    ]);
    expect(plan(["dir /dev/nvidia-caps"], CAPS).actions.map((action) => action.do)).toEqual([
      "make-node",
      "make-node",
    ]);
  });

  it("creates and removes no nodes if the administrator forbids them", () => {
    const unmanaged = node("/dev/nvidiactl", 195, 255, "ModifyDeviceFiles: 0");
    for (const tree of [[], ["file /dev/nvidiactl"]]) {
      const { actions, findings } = plan(tree, [unmanaged], { devChar: true });
      expect(actions).toEqual([]);
      expect(findings).toMatchObject([{ code: "device-node-unmanaged", args: { path: "/dev/nvidiactl" } }]);
    }
    expect(plan(["char /dev/nvidiactl 195:255 0666"], [unmanaged]).findings).toEqual([]);
  });

  it("links existing and new nodes by number", () => {
    const [cap] = CAPS as [DriverNode];
    expect(plan(["char /dev/nvidiactl 195:255 0666"], [CTL, cap], { devChar: true }).lines).toEqual([
      "created directory /dev/char",
      "created link /dev/char/195:255 -> ../nvidiactl",
      "created directory /dev/nvidia-caps",
      "created device /dev/nvidia-caps/nvidia-cap1 (c 234:1, mode 0666, owner 0:0)",
      "created link /dev/char/234:1 -> ../nvidia-caps/nvidia-cap1",
    ]);
  });

  it.each([
    ["as nvoci would create it", "symlink /dev/char/195:255 -> ../nvidiactl"],
    ["as another program writes it", "symlink /dev/char/195:255 -> /dev/nvidiactl"],
    ["that is not a link", "char /dev/char/195:255 195:255 0666"],
  ])("leaves something in /dev/char alone %s", (_, line) => {
    const tree = ["char /dev/nvidiactl 195:255 0666", line];
    expect(plan(tree, [CTL], { devChar: true }).actions).toEqual([]);
  });

  it("replaces a stale link from a node with another number", () => {
    const tree = ["char /dev/nvidiactl 195:255 0666", "symlink /dev/char/195:255 -> ../nvidia-uvm"];
    expect(plan(tree, [CTL], { devChar: true }).lines).toEqual([
      "removed /dev/char/195:255",
      "created link /dev/char/195:255 -> ../nvidiactl",
    ]);
  });

  it("creates nodes below another root and links to them where systemd looks", () => {
    const tree = ["dir /run/nvidia/driver/dev", "dir /dev/char"];
    expect(plan(tree, [CTL], { root: "/run/nvidia/driver", devChar: true }).lines).toEqual([
      "created device /run/nvidia/driver/dev/nvidiactl (c 195:255, mode 0666, owner 0:0)",
      "created link /dev/char/195:255 -> /run/nvidia/driver/dev/nvidiactl",
    ]);
  });
});
