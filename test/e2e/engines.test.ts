import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDocker } from "../support/docker.ts";
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

  test("docker run --gpus all and --runtime nvidia see the host's files", async () => {
    const runtimes = { nvidia: { path: at("bin/nvidia-container-runtime") } };
    const engine = await startDocker(jetson.place, { config: { runtimes }, programs: at("bin") });
    try {
      engine.importImage("image", at("rootfs"));
      const command = describeCommand(jetson);
      expect(engine.run("image", command, ["--gpus=all"])).toEqual(describeHost(jetson));
      const options = ["--runtime=nvidia", "--env=NVIDIA_VISIBLE_DEVICES=all"];
      expect(engine.run("image", command, options)).toEqual(describeHost(jetson));
      expect(engine.run("image", ["cat", "/dev/nvmap"], options).stderr).toContain(
        "No such device or address",
      );
      expect(engine.run("image", ["ls", "/dev/nvmap"]).status).not.toBe(0);
    } finally {
      await engine.close();
    }
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
