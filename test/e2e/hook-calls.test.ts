import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ORIN_MANIFEST } from "../../fixtures/host/fake-l4t.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { nvociHook } from "../support/build/builds.ts";
import { type HookTrials, hookTrials } from "../support/engines/hook-trials.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { type Jetson, openJetson } from "../support/host/jetson.ts";

const DRIVER = "/usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1.1";
const CUDA = "/usr/lib/aarch64-linux-gnu/libcudnn.so.9";
const ASKS = ["NVIDIA_VISIBLE_DEVICES=all"];

describeBuilds(CONTAINER, "the hook", (build) => {
  let jetson: Jetson;
  let trials: HookTrials;
  const hook = (...words: string[]): string[] => [build.path, "hook", ...words];

  beforeAll(async () => {
    jetson = await openJetson({ manifests: { "l4t.csv": ORIN_MANIFEST, "cuda.csv": `lib, ${CUDA}\n` } });
    trials = hookTrials([DRIVER, CUDA]);
  });
  afterAll(() => {
    jetson?.close();
    trials?.remove();
  });

  it.each(["prestart", "createRuntime"] as const)("injects at %s and prints nothing", (stage) => {
    const trial = trials.start(hook(stage), jetson, { stage });
    expect(trial.result).toMatchObject({ status: 0, stderr: "" });
    expect(trial.files).toEqual([DRIVER]);
    expect(trial.hook).toEqual({ status: 0, lines: [] });
  });

  it("does nothing at poststart and poststop", () => {
    const poststart = trials.recorded(hook("poststart"));
    const poststop = trials.recorded(hook("poststop"));
    const bundle = trials.bundle({
      env: ASKS,
      hooks: { prestart: [nvociHook(build)], poststart: [poststart.entry], poststop: [poststop.entry] },
    });
    const result = runContainer(bundle, ["sleep", "0.3"], jetson.place);
    expect(result).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(poststart.read()).toEqual({ status: 0, lines: [] });
    expect(poststop.read()).toEqual({ status: 0, lines: [] });
  });

  it("stops a container when it is registered at a stage that runs in the container", () => {
    const { result, hook: said } = trials.start(hook("createContainer"), jetson, {
      stage: "createContainer",
    });
    expect(result.status).not.toBe(0);
    expect(said?.status).toBe(2);
    expect(said?.lines).toEqual([expect.stringMatching(/^nvoci: Cannot .*createContainer.*createRuntime/)]);
  });

  it.each([
    "nvidia-container-runtime-hook",
    "nvidia-container-toolkit",
  ])("works under the name %s", (name) => {
    const called = join(trials.path("bin").replace(/[^/]*$/, ""), name);
    symlinkSync(build.path, called);
    const file = trials.file("config.toml", '[nvoci]\ncsv-mounts = "all"\n');
    for (const words of [["-config", file], [`--config=${file}`], ["-debug=false", "-config", file]]) {
      const { files, hook: said } = trials.start([called, ...words, "prestart"], jetson);
      expect(said).toEqual({ status: 0, lines: [] });
      expect(files).toEqual([DRIVER, CUDA]);
    }
  });

  it("stops a container with status 2 for an unknown option", () => {
    const { result, files, hook: said } = trials.start(hook("-nonsense", "prestart"), jetson);
    expect(result.status).not.toBe(0);
    expect(files).toEqual([]);
    expect(said?.status).toBe(2);
    expect(said?.lines[0]).toMatch(/^nvoci: Cannot .*-nonsense/);
  });

  it("accepts a state with bundlePath instead of bundle", () => {
    const filter = `sed "s/\\"bundle\\"/\\"bundlePath\\"/"`;
    expect(trials.start(hook("prestart"), jetson, { filter }).files).toEqual([DRIVER]);
    const without = trials.start(hook("prestart"), jetson, { filter: `sed "s/\\"bundle\\"/\\"other\\"/"` });
    expect(without.hook?.status).toBe(1);
    expect(without.hook?.lines[0]).toMatch(/^nvoci: Cannot .*bundle/);
  });

  it.each(["", "{", "[]", '{\\"pid\\": 0}'])("stops a container given the state '%s'", (state) => {
    const { result, hook: said } = trials.start(hook("prestart"), jetson, { filter: `echo "${state}"` });
    expect(result.status).not.toBe(0);
    expect(said?.status).toBe(1);
    expect(said?.lines).toEqual([expect.stringMatching(/^nvoci: Cannot .*OCI state/)]);
  });

  it("waits for the state on a nonblocking pipe", () => {
    const command = `dd iflag=nonblock count=0 2>/dev/null; exec ${hook("prestart").join(" ")}`;
    const trial = trials.start(["/bin/sh", "-c", command], jetson, { filter: "sh -c 'sleep 0.5; cat'" });
    expect(trial.hook).toEqual({ status: 0, lines: [] });
    expect(trial.files).toEqual([DRIVER]);
  });

  it("learns ldconfig's exit status although its caller ignores SIGCHLD", () => {
    const command = `trap '' CHLD; exec ${hook("prestart").join(" ")}`;
    const trial = trials.start(["/bin/bash", "-c", command], jetson);
    expect(trial.hook).toEqual({ status: 0, lines: [] });
    expect(trial.files).toEqual([DRIVER]);
  });

  it("finds the device cgroup on a host with a mount point that is not UTF-8", () => {
    const shell = (script: string) => jetson.place.run(["/bin/bash", "-ec", script]);
    expect(shell("mkdir -p $'/run/nvoci-\\xff' && mount -t tmpfs tmpfs $'/run/nvoci-\\xff'").status).toBe(0);
    try {
      expect(trials.start(hook("prestart"), jetson).hook).toEqual({ status: 0, lines: [] });
    } finally {
      shell("umount $'/run/nvoci-\\xff'; rmdir $'/run/nvoci-\\xff'");
    }
  });

  it.each(["rootfs", "./rootfs/../rootfs/", "absolute"])("finds a container's root at %s", (path) => {
    const bundle = trials.bundle({ env: ASKS, hooks: { prestart: [nvociHook(build)] } });
    (bundle.config.root as { path: string }).path = path === "absolute" ? bundle.rootfs : path;
    expect(runContainer(bundle, ["cat", DRIVER], jetson.place)).toMatchObject({ status: 0, stderr: "" });
  });
});
