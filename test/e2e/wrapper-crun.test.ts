import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Bundle, makeBundle } from "../../fixtures/bundle.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { installLinks } from "../support/engines/wrapper.ts";
import { describeCommand, describeHost, type Jetson, openJetson } from "../support/host/jetson.ts";

describeBuilds([...CONTAINER, "cgroup v2", "crun"], "the wrapper around crun", (build) => {
  let jetson: Jetson;
  let made: TemporaryDirectory;
  let bundle: Bundle;
  const at = (name: string): string => join(made.path, name);
  /** Runs a command in a container without a cgroup, because crun requires all of them to have one version. */
  const run = (command: readonly string[], env: readonly string[]) => {
    const { process: init, ...rest } = bundle.config as { process: object };
    const config = { ...rest, process: { ...init, args: command, env: ["PATH=/usr/bin:/bin", ...env] } };
    writeFileSync(join(bundle.directory, "config.json"), JSON.stringify(config));
    const words = [
      "--root",
      at("crun"),
      "--cgroup-manager=disabled",
      "run",
      "--bundle",
      bundle.directory,
      "c",
    ];
    const settings = {
      NVIDIA_CTK_CONFIG_FILE_PATH: at("config.toml"),
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    };
    return jetson.place.run([at("bin/nvidia-container-runtime"), ...words], { env: settings });
  };

  beforeAll(async () => {
    jetson = await openJetson({ cgroup: "v2" });
    made = temporaryDirectory("crun");
    bundle = makeBundle();
    mkdirSync(at("crun"));
    writeFileSync(
      at("config.toml"),
      '[nvidia-container-runtime]\nruntimes = ["crun"]\n[nvidia-container-cli]\nno-cgroups = true\n',
    );
    installLinks(build, at("bin"));
  });
  afterAll(() => {
    jetson?.close();
    bundle?.remove();
    made?.remove();
  });

  it("injects the host's files into a container that requests GPUs, using the wrapper's configuration", () => {
    expect(run(describeCommand(jetson), ["NVIDIA_VISIBLE_DEVICES=all"])).toEqual(describeHost(jetson));
  });

  it("passes through a container that requests no GPUs, and its exit status", () => {
    expect(run(["ls", "/dev/nvmap"], []).stderr).toContain("No such file");
    expect(run(["sh", "-c", "exit 5"], []).status).toBe(5);
  });
});
