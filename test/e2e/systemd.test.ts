import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, type BundleOptions, makeBundle } from "../../fixtures/bundle.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { nvociHook } from "../support/build/builds.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { openSystemd, type Systemd } from "../support/engines/systemd.ts";
import { installLinks } from "../support/engines/wrapper.ts";
import { type Jetson, openJetson } from "../support/host/jetson.ts";

const NO_DRIVER = "No such device or address";
const REFUSED = "Operation not permitted";

describeBuilds(
  [...CONTAINER, "cgroup v1", "cgroup v2", "systemd"],
  "a container in a systemd unit",
  (build) => {
    describe.each(["host", "v2"] as const)("with %s cgroups", (cgroup) => {
      let jetson: Jetson;
      let systemd: Systemd;
      let made: TemporaryDirectory;
      const bundles: Bundle[] = [];
      let count = 0;
      /** Starts a container as engines with systemd's cgroup driver do. Returns a function that runs a command in it. */
      const start = (options: BundleOptions, runtime: string): ((...words: string[]) => string) => {
        const id = `nvoci-test-${++count}`;
        const bundle = makeBundle({
          ...options,
          env: ["NVIDIA_VISIBLE_DEVICES=all"],
          edit: (spec) => {
            Object.assign(spec.process as object, { args: ["sleep", "300"] });
            Object.assign(spec.linux as object, { cgroupsPath: `system.slice:nvoci:${id}` });
          },
        });
        bundles.push(bundle);
        const { directory } = bundle;
        const runc = [runtime, "--root", join(directory, "runc"), "--systemd-cgroup"];
        // The detached container keeps its outputs open.
        const quietly = [
          "sh",
          "-c",
          `"$0" "$@" </dev/null >${directory}/log 2>&1 || { cat ${directory}/log; exit 1; }`,
        ];
        const run = [...runc, "run", "--detach", "--bundle", directory, id];
        expect(systemd.run([...quietly, ...run])).toMatchObject({ status: 0, stdout: "" });
        expect(systemd.run(["systemctl", "is-active", `nvoci-${id}.scope`]).stdout).toBe("active\n");
        return (...words) => systemd.run([...runc, "exec", id, ...words]).stderr;
      };

      beforeAll(async () => {
        jetson = await openJetson({ cgroup });
        systemd = await openSystemd(jetson.place);
        made = temporaryDirectory("systemd");
        installLinks(build, join(made.path, "bin"));
      });
      afterAll(async () => {
        await systemd?.close();
        jetson?.close();
        for (const bundle of bundles) bundle.remove();
        made?.remove();
      });

      it("keeps its devices over a reload with the wrapper, and loses them with only the hook", () => {
        const wrapped = start({}, join(made.path, "bin/nvidia-container-runtime"));
        const hooked = start({ hooks: { prestart: [nvociHook(build)] } }, "runc");
        const eachGives = (exec: typeof wrapped, reason: string) => {
          for (const node of jetson.devices) expect(exec("cat", node), node).toContain(reason);
        };
        eachGives(wrapped, NO_DRIVER);
        eachGives(hooked, NO_DRIVER);
        expect(systemd.run(["systemctl", "daemon-reload"])).toMatchObject({ status: 0 });
        eachGives(wrapped, NO_DRIVER);
        eachGives(hooked, REFUSED);
      });
    });
  },
);
