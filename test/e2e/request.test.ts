import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { nvociHook } from "../support/builds.ts";
import { type Bundle, type BundleOptions, makeBundle } from "../support/bundle.ts";
import { runContainer } from "../support/container.ts";
import { MANIFEST_DIRECTORY, ORIN_MANIFEST } from "../support/fake-l4t.ts";
import { askingBundle, type Jetson, openJetson } from "../support/jetson.ts";
import { CONTAINER, describeBuilds } from "../support/prerequisites.ts";
import { readRecording, recordedHook } from "../support/recorded-hook.ts";
import { mountLines, snapshotTree } from "../support/snapshot.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const DRIVER = "/usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1.1";
const CUDA = "/usr/lib/aarch64-linux-gnu/libcudnn.so.9";
const MANIFESTS = { "l4t.csv": ORIN_MANIFEST, "cuda.csv": `lib, ${CUDA}\n` };

describeBuilds([...CONTAINER, "strace"], "the hook", (build) => {
  const directory = temporaryDirectory("request");
  let jetson: Jetson;
  let count = 0;
  const made: { remove(): void }[] = [];
  const fresh = (name: string): string => join(directory.path, `${++count}-${name}`);
  const keep = (bundle: Bundle): Bundle => {
    made.push(bundle);
    return bundle;
  };
  /** Starts a container whose hook is recorded: what the hook said, and which of the host's files came in. */
  const start = (
    command: readonly string[],
    options: BundleOptions & { stage?: string; filter?: string; on?: Jetson } = {},
  ) => {
    const log = fresh("log");
    const hooks = { [options.stage ?? "prestart"]: [recordedHook(command, log, options.filter)] };
    const bundle = keep(makeBundle({ env: ["NVIDIA_VISIBLE_DEVICES=all"], hooks, ...options }));
    const script = `for path in ${DRIVER} ${CUDA}; do [ ! -f $path ] || echo $path; done`;
    const result = runContainer(bundle, ["/bin/sh", "-c", script], (options.on ?? jetson).place);
    const files = result.stdout.split("\n").filter((line) => line !== "");
    return { bundle, result, files, hook: readRecording(log), log };
  };
  const hook = (...words: string[]): string[] => [build.path, "hook", ...words];
  const config = (text: string): string => {
    const file = fresh("config.toml");
    writeFileSync(file, text);
    return file;
  };

  beforeAll(async () => {
    jetson = await openJetson({ manifests: MANIFESTS });
  });
  afterEach(() => {
    for (const thing of made.splice(0)) thing.remove();
  });
  afterAll(() => {
    jetson?.close();
    directory.remove();
  });

  describe.each([
    ["does not name the variable", []],
    ["leaves the variable empty", ["NVIDIA_VISIBLE_DEVICES="]],
    ["sets it to void", ["NVIDIA_VISIBLE_DEVICES=void"]],
  ])("for a container that %s", (_, env) => {
    test("changes nothing, says nothing and succeeds", () => {
      const look = (bundle: Bundle) => {
        const result = runContainer(bundle, ["cat", "/proc/self/mountinfo"], jetson.place);
        return { status: result.status, mounts: mountLines(result.stdout), files: snapshotTree(bundle.rootfs) };
      };
      const log = fresh("log");
      const hooks = { prestart: [recordedHook(hook("prestart"), log)] };
      const plain = look(keep(makeBundle({ env })));
      const hooked = look(keep(makeBundle({ env, hooks })));
      const placeOf = (line: string) => line.replace(/nvoci-(?:bundle|test)-[^/ ]*/g, "…");
      expect(hooked.files).toEqual(plain.files);
      expect(hooked.mounts.map(placeOf)).toEqual(plain.mounts.map(placeOf));
      expect(hooked.status).toBe(0);
      expect(readRecording(log)).toEqual({ status: 0, lines: [] });
    });

    test("opens its state and its config.json, and enters nothing", () => {
      const log = fresh("strace");
      const calls = "%file,setns,unshare,chroot,pivot_root,mount,open_tree,move_mount,bpf";
      const { bundle, hook: said } = start(["/usr/bin/strace", "-f", "-qq", "-o", log, "-e", `trace=${calls}`, ...hook("prestart")], {
        env,
      });
      expect(said).toEqual({ status: 0, lines: [] });
      const lines = readFileSync(log, "utf8").trimEnd().split("\n");
      const opened = lines.filter((line) => /\bopen(?:at2?)?\(/.test(line));
      expect(opened.some((line) => line.includes(`"${bundle.directory}/config.json"`))).toBe(true);
      for (const never of ["config.toml", MANIFEST_DIRECTORY, "nv_tegra_release", bundle.rootfs, "/proc/driver"]) {
        expect(lines.filter((line) => line.includes(never))).toEqual([]);
      }
      expect(lines.filter((line) => /\b(?:setns|chroot|pivot_root|mount|open_tree|move_mount|bpf)\(/.test(line))).toEqual([]);
      if (build.name === "native") expect(opened).toHaveLength(1);
    });
  });

  test.each(["prestart", "createRuntime"])("injects at %s", (stage) => {
    const { result, files, hook: said } = start(hook(stage), { stage });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(files).toEqual([DRIVER]);
    expect(said).toEqual({ status: 0, lines: [] });
  });

  test("has nothing to do at poststart and poststop", () => {
    const [poststart, poststop] = [fresh("log"), fresh("log")];
    const hooks = {
      prestart: [nvociHook(build)],
      poststart: [recordedHook(hook("poststart"), poststart)],
      poststop: [recordedHook(hook("poststop"), poststop)],
    };
    const bundle = keep(askingBundle(build, { hooks }));
    expect(runContainer(bundle, ["sleep", "0.3"], jetson.place)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readRecording(poststart)).toEqual({ status: 0, lines: [] });
    expect(readRecording(poststop)).toEqual({ status: 0, lines: [] });
  });

  test.each(["nvidia-container-runtime-hook", "nvidia-container-toolkit"])("answers to the name %s", (name) => {
    const link = join(directory.path, `${name}`);
    symlinkSync(build.path, link);
    const file = config("[nvoci]\ncsv-mounts = \"all\"\n");
    for (const words of [["-config", file], [`--config=${file}`], ["-debug=false", "-config", file]]) {
      const { files, hook: said } = start([link, ...words, "prestart"]);
      expect(said).toEqual({ status: 0, lines: [] });
      expect(files).toEqual([DRIVER, CUDA]);
    }
    const { result, hook: said } = start([link, "-nonsense", "prestart"]);
    expect(result.status).not.toBe(0);
    expect(said).toMatchObject({ status: 2 });
    expect(said?.lines[0]).toMatch(/^nvoci: Cannot .*-nonsense/);
  });

  test("understands a state with bundlePath in place of bundle", () => {
    const { files } = start(hook("prestart"), { filter: `sed "s/\\"bundle\\"/\\"bundlePath\\"/"` });
    expect(files).toEqual([DRIVER]);
  });

  test.each(["relative", "absolute", "roundabout"])("finds the root of a container whose root.path is %s", (kind) => {
    const edit = (spec: Record<string, unknown>) => {
      (spec.root as { path: string }).path = kind === "absolute" ? "ROOT" : kind === "relative" ? "rootfs" : "./rootfs/../rootfs/";
    };
    const hooks = { prestart: [nvociHook(build)] };
    const bundle = keep(askingBundle(build, { hooks, edit }));
    if (kind === "absolute") (bundle.config.root as { path: string }).path = bundle.rootfs;
    expect(runContainer(bundle, ["cat", DRIVER], jetson.place).status).toBe(0);
  });
});
