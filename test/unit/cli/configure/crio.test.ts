import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { crio } from "../../../../src/cli/configure/podman.ts";
import { hostPath } from "../../../../src/model/paths.ts";
import { memoryHost } from "../../../support/host/memory-host.ts";

const path = hostPath("/usr/bin/nvidia-container-runtime");
const file = { path: hostPath("/etc/x"), text: undefined, backup: undefined };
const registered = (isDefault: boolean): string =>
  crio.register(file, { name: "nvidia", path, isDefault }, memoryHost(""));

describe("crio", () => {
  it("registers the runtime, and the default only on request", () => {
    const runtimes = { nvidia: { runtime_path: path, runtime_type: "oci" } };
    expect(parse(registered(false))).toEqual({ crio: { runtime: { runtimes } } });
    expect(parse(registered(true))).toEqual({ crio: { runtime: { default_runtime: "nvidia", runtimes } } });
  });

  it("removes the file when it is unregistered", () => {
    const text = registered(true);
    expect(crio.unregister({ ...file, text }, { name: "nvidia", path, isDefault: false })).toBeUndefined();
  });
});
