import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { podman } from "../../../../src/cli/configure/podman.ts";
import { hostPath } from "../../../../src/model/paths.ts";
import { catchError } from "../../../support/cli/catch-error.ts";
import { memoryHost } from "../../../support/host/memory-host.ts";

const path = hostPath("/usr/bin/nvidia-container-runtime");
const USUAL = "/usr/share/containers/oci/hooks.d";
const DROP_INS = "/etc/containers/containers.conf.d";
const OURS = `${DROP_INS}/99-nvoci.hooks.d`;
const file = { path: podman.file, text: undefined, backup: undefined };

interface Conf {
  readonly engine: Record<string, unknown>;
}
const conf = (tree: readonly string[] = [], isDefault = false): Conf["engine"] =>
  (parse(podman.register(file, { name: "nvidia", path, isDefault }, memoryHost(tree))) as unknown as Conf)
    .engine;
const line = (at: string, directories: unknown): string =>
  `file ${at} 0644 = ${JSON.stringify(`[engine]\nhooks_dir = ${directories}\n`)}`;

describe("podman.register()", () => {
  it("registers the runtime, and the default only on request", () => {
    const runtimes = { nvidia: [path] };
    const hooks_dir = [USUAL, OURS];
    expect(conf()).toEqual({ hooks_dir, runtimes });
    expect(conf([], true)).toEqual({ runtime: "nvidia", hooks_dir, runtimes });
  });

  it("keeps the hook directories in effect", () => {
    const vendor = line("/usr/share/containers/containers.conf", '["/vendor"]');
    expect(conf([vendor]).hooks_dir).toEqual(["/vendor", OURS]);
    const own = line("/etc/containers/containers.conf", '["/a", "/b"]');
    expect(conf([vendor, own]).hooks_dir).toEqual(["/a", "/b", OURS]);
    const dropIn = line(`${DROP_INS}/50-x.conf`, "[]");
    expect(conf([vendor, own, dropIn]).hooks_dir).toEqual([OURS]);
  });

  it("reads files in podman's order and skips those that podman ignores or reads after ours", () => {
    const tree = [
      line(`${DROP_INS}/20-x.conf`, '["/20"]'),
      line(`${DROP_INS}/10-x.conf`, '["/10"]'),
      line(`${DROP_INS}/99-nvoci.conf`, '["/ours"]'),
      line(`${DROP_INS}/99-zzz.conf`, '["/later"]'),
      line(`${DROP_INS}/30-x.conf.dpkg-old`, '["/old"]'),
      line("/usr/share/containers/containers.conf.d/90-x.conf", '["/vendor"]'),
    ];
    expect(conf(tree).hooks_dir).toEqual(["/20", OURS]);
  });

  it("appends where a podman 5 file appends", () => {
    const adding = line("/etc/containers/containers.conf", '["/a", {append = true}]');
    expect(conf([adding]).hooks_dir).toEqual([OURS]);
    const replacing = line(`${DROP_INS}/50-x.conf`, '["/b", {append = false}]');
    expect(conf([adding, replacing]).hooks_dir).toEqual(["/b", OURS]);
  });

  it("refuses an unreadable configuration and names its line", () => {
    const broken = `file ${DROP_INS}/50-x.conf 0644 = "[engine]\\nhooks_dir = [\\n"`;
    const error = catchError(() => conf([broken]));
    expect(error).toMatchObject({ code: "config-invalid" });
    expect(error.message).toContain(`${DROP_INS}/50-x.conf`);
  });
});

describe("podman.hookFile()", () => {
  const HOOKS = join(import.meta.dirname, "../../../../hooks");

  it("equals the packaged hook and has its name, so podman uses only one of them", () => {
    const hook = podman.hookFile?.(podman.file, hostPath("/usr/bin/nvoci"));
    expect(hook?.path).toBe(`${OURS}/oci-nvoci-prestart.json`);
    const installed = JSON.parse(readFileSync(join(HOOKS, "oci-nvoci-prestart.json"), "utf8"));
    expect(JSON.parse(hook?.text ?? "")).toEqual(installed);
  });

  it("calls the given program", () => {
    const hook = podman.hookFile?.(podman.file, hostPath("/opt/nvoci"));
    expect(JSON.parse(hook?.text ?? "")).toMatchObject({ hook: { path: "/opt/nvoci" } });
  });
});

describe("podman.unregister()", () => {
  it("removes the file", () => {
    const text = podman.register(file, { name: "nvidia", path, isDefault: true }, memoryHost(""));
    const registration = { name: "nvidia", path, isDefault: false };
    expect(podman.unregister({ ...file, text }, registration)).toBeUndefined();
  });
});
