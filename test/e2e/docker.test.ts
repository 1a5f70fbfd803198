import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ORIN_MANIFEST } from "../../fixtures/host/fake-l4t.ts";
import { makeRootfs } from "../../fixtures/rootfs.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { type Docker, startDocker } from "../support/engines/docker.ts";
import { CONTAINER, describeBuilds, missing } from "../support/engines/prerequisites.ts";
import { installLinks } from "../support/engines/wrapper.ts";
import { describeCommand, describeHost, type Jetson, openJetson } from "../support/host/jetson.ts";
import { compileAnswer } from "../support/image/answer.ts";
import { makeLinkerContext } from "../support/image/linker-context.ts";

/** No image's ld.so.conf names this directory. */
const ANSWER = "/usr/lib/aarch64-linux-gnu/nvidia/libanswer.so.1";
const DRIVER = "/usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1.1";
const ASK = "--env=NVIDIA_VISIBLE_DEVICES=all";
const OPEN = ["cat", "/dev/nvmap"];
const NO_DRIVER = "No such device or address";

/**
 * Returns a runtime that drops a capability from containers if root lacks it on this machine. Docker grants
 * privileged containers every capability, and runc refuses those that it does not have itself.
 */
function boundedRuntime(wrapper: string): string {
  const trim = `sed -i 's/"CAP_SYS_RESOURCE",//g' "$word/config.json"`;
  const trimming = `for word; do [ "$last" != --bundle ] || ${trim}; last=$word; done`;
  const isBounded = missing(["every capability"]) !== undefined;
  return `#!/bin/sh\nlast=\n${isBounded ? trimming : ""}\nexec ${wrapper} "$@"\n`;
}

describeBuilds(
  [...CONTAINER, "cgroup v2", "dockerd", "gcc"],
  "docker with nvoci as its default runtime",
  (build) => {
    describe.each(["host", "v2"] as const)("with %s cgroups", (cgroup) => {
      let jetson: Jetson;
      let made: TemporaryDirectory;
      let engine: Docker;
      const at = (name: string): string => join(made.path, name);
      const names: string[] = [];
      /** Starts a container that runs until it is stopped. Returns its name. */
      const start = (...options: string[]): string => {
        const name = `c${names.length}`;
        names.push(name);
        const words = ["run", "--detach", "--network=none", "--init", `--name=${name}`, ...options, "image"];
        expect(engine.docker(...words, "sleep", "300")).toMatchObject({ status: 0 });
        return name;
      };
      const exec = (name: string, ...words: string[]) => engine.docker("exec", name, ...words);

      beforeAll(async () => {
        const answer = {
          kind: "file",
          path: ANSWER,
          content: readFileSync(compileAnswer().library),
        } as const;
        const manifests = { "l4t.csv": `${ORIN_MANIFEST}lib, ${ANSWER}\n` };
        jetson = await openJetson({ cgroup, manifests, more: [answer] });
        made = temporaryDirectory("docker-test");
        mkdirSync(at("rootfs"));
        makeRootfs(at("rootfs"), "debian");
        const path = installLinks(build, at("bin"));
        const options = ["--default", "--config", at("daemon.json"), "--runtime-path", path];
        expect(jetson.place.run([build.path, "configure", "docker", ...options]).status).toBe(0);
        const written = JSON.parse(readFileSync(at("daemon.json"), "utf8"));
        writeFileSync(at("bounded"), boundedRuntime(path), { mode: 0o755 });
        const runtimes = { ...written.runtimes, bounded: { path: at("bounded") } };
        engine = await startDocker(jetson.place, { config: { ...written, runtimes }, programs: at("bin") });
        engine.importImage("image", at("rootfs"));
      });
      afterEach(() => {
        for (const name of names.splice(0)) engine.docker("rm", "--force", name);
      });
      afterAll(async () => {
        await engine?.close();
        jetson?.close();
        made?.remove();
      });

      it("knows the runtime that the wrapper runs", () => {
        const { stdout } = engine.docker("info", "--format", "{{.DefaultRuntime}} {{.RuncCommit.ID}}");
        expect(stdout).toMatch(/^nvidia \S*[0-9]/);
      });

      it("runs an image that requests no GPUs as runc does", () => {
        const look = [
          "sh",
          "-c",
          "cut -d' ' -f4- /proc/self/mountinfo | grep -v overlay | grep -v docker; ls -l /dev; env; id",
        ];
        const strip = (text: string) => text.replace(/\d\d:\d\d|[0-9a-f]{12}/g, "");
        const ours = engine.run("image", look);
        expect(ours.status).toBe(0);
        const plain = engine.run("image", look, ["--runtime=runc"]);
        expect(strip(ours.stdout)).toBe(strip(plain.stdout));
      });

      it.each([
        ["by default", []],
        ["with --read-only", ["--read-only"]],
        ["with --cap-drop ALL", ["--cap-drop=ALL"]],
        ["with --user 1000", ["--user=1000"]],
        ["with --init", ["--init"]],
        ["with --security-opt no-new-privileges", ["--security-opt=no-new-privileges"]],
        ["with a terminal", ["--tty"]],
      ])("injects the host's files %s", (_, options) => {
        const inside = engine.run("image", describeCommand(jetson), [ASK, ...options]);
        expect({ ...inside, stdout: inside.stdout.replaceAll("\r", "") }).toEqual(describeHost(jetson));
      });

      it("injects the host's files and devices into a privileged container", () => {
        const options = [ASK, "--privileged", "--runtime=bounded"];
        expect(engine.run("image", describeCommand(jetson), options)).toEqual(describeHost(jetson));
        for (const node of jetson.devices) {
          expect(engine.run("image", ["cat", node], options).stderr, node).toContain(NO_DRIVER);
        }
        expect(engine.run("image", ["sh", "-c", "mknod /n c 60 99; cat /n"], options).stderr).toContain(
          NO_DRIVER,
        );
      });

      it.each([
        [[]],
        [["--user=1000"]],
        [["--cap-drop=ALL"]],
        [["--read-only"]],
      ])("injects the devices with options %j", (options) => {
        for (const node of jetson.devices) {
          expect(engine.run("image", ["cat", node], [ASK, ...options]).stderr, node).toContain(NO_DRIVER);
        }
      });

      it.each([
        ["--gpus=all"],
        ["--gpus=device=0"],
      ])("injects files and devices with %s, by the nvidia runtime and by runc", (gpus) => {
        for (const runtime of ["nvidia", "runc"]) {
          const options = [gpus, `--runtime=${runtime}`];
          expect(engine.run("image", describeCommand(jetson), options)).toEqual(describeHost(jetson));
          expect(engine.run("image", OPEN, options).stderr).toContain(NO_DRIVER);
        }
      });

      it("refuses a second GPU on a board that has one", () => {
        for (const runtime of ["nvidia", "runc"]) {
          const { status, stderr } = engine.run(
            "image",
            ["true"],
            ['--gpus="device=1"', `--runtime=${runtime}`],
          );
          expect({ status, stderr }, runtime).toEqual({
            status: 125,
            stderr: expect.stringMatching(/nvoci: Cannot .*"1"/),
          });
        }
      });

      it("keeps files and devices over exec, restart, stop and start, and stops on request", () => {
        const name = start(ASK);
        const works = () => {
          expect(exec(name, ...OPEN).stderr).toContain(NO_DRIVER);
          expect(exec(name, "test", "-s", DRIVER).status).toBe(0);
        };
        works();
        for (const words of [["restart", "-t", "1"], ["stop", "-t", "1"], ["start"]]) {
          expect(engine.docker(...words, name)).toMatchObject({ status: 0 });
          if (words[0] !== "stop") works();
        }
        expect(exec(name, "sh", "-c", "exit 42").status).toBe(42);
        expect(engine.docker("kill", "--signal=TERM", name).status).toBe(0);
        expect(engine.docker("wait", name).stdout.trim()).toBe("143");
        expect(engine.docker("rm", "--force", name).status).toBe(0);
      });

      it("keeps the devices over docker update", () => {
        const name = start(ASK);
        // Docker drops settings that a version 2 hierarchy without controllers lacks, and still calls the runtime.
        expect(engine.docker("update", "--cpu-shares=512", name)).toMatchObject({ status: 0 });
        expect(exec(name, ...OPEN).stderr).toContain(NO_DRIVER);
      });

      it("passes the user's terminal to the container's process", () => {
        const words = "run --rm --interactive --tty --network=none --env=NVIDIA_VISIBLE_DEVICES=all image";
        const inside = `read word; tty; test -s ${DRIVER}; echo got $word $?; exit 5`;
        const command = `${engine.client} ${words} sh -c '${inside}'; echo status $?`;
        const shown = jetson.place.run(["script", "-qec", command, "/dev/null"], { input: "a-word\n" });
        expect(shown.stdout).toMatch(/\/dev\/pts\/0\s+got a-word 0\s+status 5\s/);
      });

      it("returns the exit status of the container's process", () => {
        expect(engine.run("image", ["sh", "-c", "exit 3"], [ASK]).status).toBe(3);
        expect(engine.run("image", ["/no/such/program"], [ASK]).status).toBe(127);
      });

      it("keeps the volumes, devices and groups that the user adds", () => {
        const [device = ""] = jetson.devices;
        const options = [
          ASK,
          `--device=${device}:${device}:r`,
          "--device=/dev/null:/dev/mine",
          "--group-add=7",
          "--volume=/etc:/mnt:ro",
        ];
        const { stdout } = engine.run(
          "image",
          ["sh", "-c", "id -G; ls /mnt/passwd /dev/mine /dev/nvmap"],
          options,
        );
        expect(stdout.split("\n")[0]?.split(" ").sort()).toEqual(["0", "44", "7"]);
        expect(stdout.split("\n").slice(1).sort()).toEqual(["", "/dev/mine", "/dev/nvmap", "/mnt/passwd"]);
      });

      it("builds an image with a program that is linked against a library of the host", () => {
        makeLinkerContext(at("build"));
        const lines = [
          "FROM image",
          "ENV NVIDIA_VISIBLE_DEVICES=all",
          "COPY . /",
          `RUN link-program /usr/bin/answer ${dirname(ANSWER)} libanswer.so.1`,
          "RUN answer > /result; test -e /dev/nvmap",
        ];
        writeFileSync(at("build/Dockerfile"), lines.join("\n"));
        const client = ["build", "--network=none", "--tag=built", at("build")];
        const built = engine.docker(...client);
        expect(built).toMatchObject({ status: 0 });
        const { stdout } = engine.run("built", ["cat", "/result"], ["--runtime=runc"]);
        expect(stdout).toBe("42\n");
        // The image itself requests GPUs.
        expect(engine.run("built", ["answer"])).toEqual({ status: 0, stdout: "42\n", stderr: "" });
      });

      it("shows the user why a container cannot start", () => {
        const { status, stderr } = engine.run("image", ["true"], ["--env=NVIDIA_VISIBLE_DEVICES=GPU-none"]);
        expect(status).toBe(125);
        expect(stderr).toMatch(/nvoci: Cannot .*GPU-none/);
      });
    });
  },
);
