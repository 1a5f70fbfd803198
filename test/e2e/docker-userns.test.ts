import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeRootfs } from "../../fixtures/rootfs.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { type Docker, startDocker } from "../support/engines/docker.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { installLinks } from "../support/engines/wrapper.ts";
import { describeCommand, type Jetson, openJetson } from "../support/host/jetson.ts";

const ASK = "--env=NVIDIA_VISIBLE_DEVICES=all";
const NO_DRIVER = "No such device or address";

describeBuilds([...CONTAINER, "cgroup v2", "dockerd"], "docker with userns-remap", (build) => {
  describe.each(["host", "v2"] as const)("with %s cgroups", (cgroup) => {
    let jetson: Jetson;
    let made: TemporaryDirectory;
    let engine: Docker;
    const at = (name: string): string => join(made.path, name);

    beforeAll(async () => {
      // Some versions of Docker look up the group's range by the user's name.
      const content = "nobody:200000:65536\nnogroup:200000:65536\n";
      const ids = ["/etc/subuid", "/etc/subgid"].map((path) => ({ kind: "file", path, content }) as const);
      jetson = await openJetson({ cgroup, more: ids });
      made = temporaryDirectory("docker-userns");
      mkdirSync(at("rootfs"));
      makeRootfs(at("rootfs"), "debian");
      const path = installLinks(build, at("bin"));
      const config = { runtimes: { nvidia: { path } }, "userns-remap": "nobody:nogroup" };
      engine = await startDocker(jetson.place, { config, programs: at("bin") });
      engine.importImage("image", at("rootfs"));
    });
    afterAll(async () => {
      await engine?.close();
      jetson?.close();
      made?.remove();
    });

    it.each([["--runtime=nvidia"], ["--gpus=all"]])("injects files and devices with %s", (option) => {
      const options = [ASK, option];
      const map = engine.run("image", ["cat", "/proc/self/uid_map"], options);
      expect(map.stdout).toMatch(/^\s*0\s+200000\s+65536/);
      const listed = describeCommand({
        ...jetson,
        files: jetson.files.filter((path) => !path.startsWith("/etc/sub")),
      });
      expect(engine.run("image", listed, options)).toEqual(jetson.place.run(listed));
      expect(engine.run("image", ["cat", "/dev/nvmap"], options).stderr).toContain(NO_DRIVER);
    });
  });
});
