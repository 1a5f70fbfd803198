import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "smol-toml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeRootfs } from "../../fixtures/rootfs.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { installLinks } from "../support/engines/wrapper.ts";
import { describeCommand, describeHost, type Jetson, openJetson } from "../support/host/jetson.ts";

const NO_DRIVER = "No such device or address";
const START_MS = 20_000;

describeBuilds(
  [...CONTAINER, "cgroup v2", "containerd"],
  "containerd with the wrapper in place of runc",
  (build) => {
    describe.each(["host", "v2"] as const)("with %s cgroups", (cgroup) => {
      let jetson: Jetson;
      let made: TemporaryDirectory;
      let stop: () => Promise<void> = async () => {};
      let count = 0;
      const at = (name: string): string => join(made.path, name);
      const ctr = (...words: string[]) => jetson.place.run(["ctr", "--address", at("socket"), ...words]);
      const run = (command: readonly string[], ...options: string[]) => {
        const name = `nvoci-test-${process.pid}-${++count}`;
        const runtime = [
          "--runc-binary",
          at("bin/nvidia-container-runtime"),
          "--cgroup",
          `/${name}`,
          "--cpu-shares",
          "0",
        ];
        const path = ["--env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"];
        return ctr(
          "run",
          "--rm",
          ...runtime,
          ...path,
          ...options,
          "--rootfs",
          at("rootfs"),
          name,
          ...command,
        );
      };
      const ASK = ["--env", "NVIDIA_VISIBLE_DEVICES=all"];

      beforeAll(async () => {
        jetson = await openJetson({ cgroup });
        made = temporaryDirectory("containerd");
        mkdirSync(at("rootfs"));
        makeRootfs(at("rootfs"), "debian");
        installLinks(build, at("bin"));
        writeFileSync(at("config.toml"), 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
        const words = [
          "--config",
          at("config.toml"),
          "--root",
          at("root"),
          "--state",
          at("state"),
          "--address",
          at("socket"),
        ];
        const mount = `--mount=/proc/${jetson.place.pid}/ns/mnt`;
        const daemon = spawn("/usr/bin/nsenter", [mount, "--", "containerd", ...words], { stdio: "ignore" });
        const ended = new Promise((resolve) => daemon.once("close", resolve));
        stop = async () => {
          daemon.kill("SIGTERM");
          await ended;
        };
        for (const limit = Date.now() + START_MS; ctr("version").status !== 0; await sleep(100)) {
          if (Date.now() > limit || daemon.exitCode !== null) throw new Error("Cannot start containerd");
        }
      });
      afterAll(async () => {
        await stop();
        jetson?.close();
        made?.remove();
      });

      it("injects the host's files and devices into a container that requests GPUs", () => {
        expect(run(describeCommand(jetson), ...ASK)).toEqual(describeHost(jetson));
        expect(run(["cat", "/dev/nvmap"], ...ASK).stderr).toContain(NO_DRIVER);
      });

      it("leaves a container that requests no GPUs alone, and returns its exit status", () => {
        expect(run(["ls", "/dev/nvmap"]).status).not.toBe(0);
        expect(run(["sh", "-c", "exit 9"])).toMatchObject({ status: 9 });
      });

      it("shows why a container cannot start", () => {
        const { status, stderr } = run(["true"], "--env", "NVIDIA_VISIBLE_DEVICES=GPU-none");
        expect(status).not.toBe(0);
        expect(stderr).toMatch(/nvoci: Cannot .*GPU-none/);
      });

      it("accepts the configuration that nvoci configure writes", () => {
        const file = at("configured.toml");
        writeFileSync(
          file,
          'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "registry/pause:9"\n',
        );
        const options = ["--default", "--config", file, "--runtime-path", at("bin/nvidia-container-runtime")];
        expect(jetson.place.run([build.path, "configure", "containerd", ...options]).status).toBe(0);
        const { stdout } = jetson.place.run(["containerd", "--config", file, "config", "dump"]);
        const { plugins } = parse(stdout) as { plugins: Record<string, { containerd: unknown }> };
        const cri = plugins["io.containerd.cri.v1.runtime"] ?? plugins["io.containerd.grpc.v1.cri"];
        expect(cri?.containerd).toMatchObject({
          default_runtime_name: "nvidia",
          runtimes: { nvidia: { options: { BinaryName: at("bin/nvidia-container-runtime") } }, runc: {} },
        });
        expect(stdout).toContain("registry/pause:9");
      });
    });
  },
);
