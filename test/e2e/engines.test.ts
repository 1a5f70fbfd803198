import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Docker, startDocker } from "../support/docker.ts";
import { describeCommand, describeHost, type Jetson, openJetson } from "../support/jetson.ts";
import { runPodman } from "../support/podman.ts";
import { CONTAINER, describeBuilds } from "../support/prerequisites.ts";
import { makeRootfs } from "../support/rootfs.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

describeBuilds([...CONTAINER, "dockerd", "podman"], "container engines on a Jetson", (build) => {
  let jetson: Jetson;
  let made: TemporaryDirectory;
  const at = (name: string): string => join(made.path, name);
  beforeAll(async () => {
    jetson = await openJetson();
    made = temporaryDirectory("engines");
    mkdirSync(at("rootfs"));
    makeRootfs(at("rootfs"), "debian");
    mkdirSync(at("bin"));
    for (const name of ["nvidia-container-runtime-hook", "nvidia-container-runtime"]) {
      symlinkSync(build.path, at(`bin/${name}`));
    }
  });
  afterAll(() => {
    jetson?.close();
    made?.remove();
  });

  describe("docker", () => {
    let engine: Docker;
    beforeAll(async () => {
      const runtimes = { nvidia: { path: at("bin/nvidia-container-runtime") } };
      engine = await startDocker(jetson.place, { config: { runtimes }, programs: at("bin") });
      engine.importImage("image", at("rootfs"));
    });
    afterAll(() => engine?.close());
    const asking = ["--runtime=nvidia", "--env=NVIDIA_VISIBLE_DEVICES=all"];

    test("run --gpus all sees the host's files", () => {
      expect(engine.run("image", describeCommand(jetson), ["--gpus=all"])).toEqual(describeHost(jetson));
    });

    test("run --runtime nvidia sees the host's files", () => {
      expect(engine.run("image", describeCommand(jetson), asking)).toEqual(describeHost(jetson));
    });

    test("run --runtime nvidia may open the devices", () => {
      const { stderr } = engine.run("image", ["cat", "/dev/nvmap"], asking);
      expect(stderr).toContain("No such device or address");
    });

    test("run without either sees nothing", () => {
      expect(engine.run("image", ["ls", "/etc/nv_tegra_release"]).status).not.toBe(0);
    });
  });

  test("podman with a hooks directory sees the host's files", () => {
    mkdirSync(at("hooks.d"));
    const hook = {
      path: build.path,
      args: ["nvoci", "hook", "prestart"],
      env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
    };
    const text = JSON.stringify({ version: "1.0.0", hook, when: { always: true }, stages: ["prestart"] });
    writeFileSync(at("hooks.d/nvoci.json"), text);
    const options = { hooks: at("hooks.d"), options: ["--env=NVIDIA_VISIBLE_DEVICES=all"] };
    const inside = runPodman(jetson.place, at("rootfs"), describeCommand(jetson), options);
    expect(inside).toEqual(describeHost(jetson));
  });
});
