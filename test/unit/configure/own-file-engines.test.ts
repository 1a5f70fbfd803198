import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { crio, podman } from "../../../src/cli/configure/own-file-engines.ts";
import { hostPath } from "../../../src/model/paths.ts";

const path = hostPath("/usr/bin/nvidia-container-runtime");
const file = { path: hostPath("/etc/x"), text: undefined, backup: undefined };
const written = (engine: typeof crio, isDefault: boolean) =>
  parse(engine.register(file, { name: "nvidia", path, isDefault }));

describe("crio", () => {
  it("has the runtime, and the default only when it is asked for", () => {
    const runtimes = { nvidia: { runtime_path: path, runtime_type: "oci" } };
    expect(written(crio, false)).toEqual({ crio: { runtime: { runtimes } } });
    expect(written(crio, true)).toEqual({ crio: { runtime: { default_runtime: "nvidia", runtimes } } });
  });
});

describe("podman", () => {
  it("has the runtime, and the default only when it is asked for", () => {
    expect(written(podman, false)).toEqual({ engine: { runtimes: { nvidia: [path] } } });
    expect(written(podman, true)).toEqual({ engine: { runtime: "nvidia", runtimes: { nvidia: [path] } } });
  });
});

describe("engines with a file of ours alone", () => {
  it("lose the file when they are unregistered", () => {
    for (const engine of [crio, podman]) {
      const text = engine.register(file, { name: "nvidia", path, isDefault: true });
      expect(
        engine.unregister({ ...file, text }, { name: "nvidia", path, isDefault: false }),
      ).toBeUndefined();
    }
  });
});
