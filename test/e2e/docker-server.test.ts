import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileCuda, FAKE_GPUS, type FakeServer, openServer } from "../../fixtures/host/fake-server.ts";
import { makeRootfs } from "../../fixtures/rootfs.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { type Docker, startDocker } from "../support/engines/docker.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { installLinks } from "../support/engines/wrapper.ts";

const NO_DRIVER = "No such device or address";
const REFUSED = "Operation not permitted";

describeBuilds([...CONTAINER, "cgroup v2", "dockerd", "gcc"], "docker run --gpus on a server", (build) => {
  describe.each(["host", "v2"] as const)("with %s cgroups", (cgroup) => {
    let server: FakeServer;
    let made: TemporaryDirectory;
    let engine: Docker;
    const at = (name: string): string => join(made.path, name);

    beforeAll(async () => {
      server = await openServer({ cgroup });
      made = temporaryDirectory("docker-server");
      mkdirSync(at("rootfs"));
      makeRootfs(at("rootfs"), "debian");
      copyFileSync(compileCuda().program, at("rootfs/usr/bin/use-cuda"));
      const config = { runtimes: { nvidia: { path: installLinks(build, at("bin")) } } };
      engine = await startDocker(server.place, { config, programs: at("bin") });
      engine.importImage("image", at("rootfs"));
    });
    afterAll(async () => {
      await engine?.close();
      server?.close();
      made?.remove();
    });

    describe.each(["runc", "nvidia"])("and the runtime %s", (runtime) => {
      const run = (gpus: string, ...command: string[]) =>
        engine.run("image", command, [`--gpus=${gpus}`, `--runtime=${runtime}`]);
      /** Returns the error of opening each node. The container makes missing nodes first. */
      const reasons = (gpus: string): string[] => {
        const make =
          "for minor in 0 1; do test -e /dev/nvidia$minor || mknod /dev/nvidia$minor c 195 $minor; done";
        const { stderr } = run(gpus, "sh", "-c", `${make}; cat /dev/nvidiactl /dev/nvidia0 /dev/nvidia1`);
        return stderr
          .trimEnd()
          .split("\n")
          .map((line) => line.replace(/^.*: /, ""));
      };

      it("injects the driver and every GPU for all", () => {
        expect(run("all", "use-cuda")).toEqual({ status: 0, stdout: "535\n", stderr: "" });
        expect(reasons("all")).toEqual([NO_DRIVER, NO_DRIVER, NO_DRIVER]);
      });

      // The second GPU on the bus has minor 0.
      it.each([
        ["an index", "1"],
        ["a UUID", FAKE_GPUS[1].uuid],
      ])("injects one GPU by %s, and no other can be opened", (_, device) => {
        expect(run(`"device=${device}"`, "use-cuda").status).toBe(0);
        expect(run(`"device=${device}"`, "ls", "/dev").stdout).not.toContain("nvidia1");
        expect(reasons(`"device=${device}"`)).toEqual([NO_DRIVER, NO_DRIVER, REFUSED]);
      });

      it("injects the requested parts of the driver", () => {
        expect(run("all,capabilities=utility", "nvidia-smi").stdout).toBe("smi\n");
        expect(run("all,capabilities=utility", "use-cuda").stderr).toContain("libcuda.so.1");
      });

      it("does not start a container that requests a GPU that the host lacks", () => {
        const { status, stderr } = run("device=7", "true");
        expect(status).toBe(125);
        expect(stderr).toMatch(/nvoci: Cannot .*7/);
      });
    });
  });
});
