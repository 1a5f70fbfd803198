import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, type BundleOptions, makeBundle } from "../../fixtures/bundle.ts";
import { type Container, createContainer, runContainer } from "../../fixtures/run/container.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { installLinks } from "../support/engines/wrapper.ts";
import {
  askingBundle,
  describeCommand,
  describeDevices,
  describeHost,
  type Jetson,
  openJetson,
} from "../support/host/jetson.ts";
import { snapshotTree } from "../support/host/snapshot.ts";

const ASKS = ["NVIDIA_VISIBLE_DEVICES=all"];
const NO_DRIVER = "No such device or address";
const REFUSED = "Operation not permitted";

interface Config {
  readonly hooks?: { readonly prestart?: readonly { path: string; args: string[]; env: string[] }[] };
  readonly process: { readonly user: { readonly additionalGids?: readonly number[] } };
  readonly linux: {
    readonly devices: readonly { path: string; major: number; minor: number }[];
    readonly resources: { readonly devices: readonly { access: string; major?: number; minor?: number }[] };
  };
}

describeBuilds([...CONTAINER, "cgroup v1", "cgroup v2"], "a container run by the wrapper", (build) => {
  describe.each(["host", "v2"] as const)("with %s cgroups", (cgroup) => {
    let jetson: Jetson;
    let made: TemporaryDirectory;
    let wrapper: string;
    const bundles: Bundle[] = [];
    const containers: Container[] = [];
    const bundle = (options: BundleOptions): Bundle => {
      const added = makeBundle(options);
      bundles.push(added);
      return added;
    };
    const ask = (options: BundleOptions = {}): Bundle =>
      bundle({ ...options, env: [...ASKS, ...(options.env ?? [])] });
    const run = (from: Bundle, command: readonly string[]) =>
      runContainer(from, command, jetson.place, wrapper);
    const create = (from: Bundle, command?: readonly string[], runtime = wrapper): Container => {
      const container = createContainer(from, command, jetson.place, runtime);
      containers.push(container);
      return container;
    };
    /** Runs a container from the bundle's existing config.json. */
    const again = (from: Bundle) => {
      const options = ["--root", join(from.directory, "runc")];
      return jetson.place.run([
        wrapper,
        ...options,
        "run",
        "--bundle",
        from.directory,
        `nvoci-test-${process.pid}-again`,
      ]);
    };
    const configText = (from: Bundle): string => readFileSync(join(from.directory, "config.json"), "utf8");
    const config = (from: Bundle): Config => JSON.parse(configText(from)) as Config;

    beforeAll(async () => {
      jetson = await openJetson({ cgroup });
      made = temporaryDirectory("wrapper");
      wrapper = installLinks(build, join(made.path, "bin"));
    });
    afterEach(() => {
      for (const container of containers.splice(0)) container.delete();
      for (const used of bundles.splice(0)) used.remove();
    });
    afterAll(() => {
      jetson?.close();
      made?.remove();
    });

    it("sees the same files, links and devices as with only the hook", () => {
      expect(run(ask(), describeCommand(jetson))).toEqual(describeHost(jetson));
      expect(run(ask(), describeDevices(jetson))).toEqual(jetson.place.run(describeDevices(jetson)));
    });

    it("can open the devices, and no others", () => {
      const open = `for node in ${jetson.devices.join(" ")}; do cat $node; done; mknod /dev/other c 60 999 && cat /dev/other`;
      const lines = run(ask(), ["sh", "-c", open]).stderr.trimEnd().split("\n");
      const reasons = lines.map((line) => line.replace(/^.*: /, ""));
      expect(reasons).toEqual([...jetson.devices.map(() => NO_DRIVER), REFUSED]);
    });

    it("gets its devices from the runtime, not as mounts", () => {
      const { stdout } = run(ask(), ["cat", "/proc/self/mountinfo"]);
      expect(
        stdout.split("\n").filter((line) => jetson.devices.some((node) => line.includes(` ${node} `))),
      ).toEqual([]);
      expect(stdout).toContain("libcuda.so.1.1");
    });

    it("has one nvoci hook, with an absolute path and its own environment", () => {
      const asking = ask();
      run(asking, ["true"]);
      const { hooks } = config(asking);
      expect(hooks?.prestart).toHaveLength(1);
      const [hook] = hooks?.prestart ?? [];
      expect(hook?.path).toBe(build.path);
      expect(hook?.args.slice(-2)).toEqual(["hook", "prestart"]);
      expect(hook?.env).toEqual([expect.stringMatching(/^PATH=\//)]);
    });

    it("gets devices once if the wrapper edits the same bundle twice", () => {
      const asking = ask();
      expect(run(asking, ["true"]).status).toBe(0);
      const after = configText(asking);
      expect(again(asking).status).toBe(0);
      expect(configText(asking)).toBe(after);
      const paths = config(asking).linux.devices.map(({ path }) => path);
      expect([...new Set(paths)].sort()).toEqual([...jetson.devices].sort());
      expect(paths).toHaveLength(jetson.devices.length);
    });

    it("keeps everything else in config.json", () => {
      const foreign = { path: "/bin/true", args: ["true", "a b"], env: [] };
      const asking = ask({
        hooks: { prestart: [foreign], poststop: [foreign] },
        edit: (spec) => {
          Object.assign(spec, { annotations: { "org.example.é": "x" }, unknown: [1, { a: null }] });
        },
      });
      // An integer that does not fit a JavaScript number.
      const large =
        '"rlimits": [{"type": "RLIMIT_CORE", "hard": 18446744073709551615, "soft": 9223372036854775809}]';
      const marker = '"rlimits": []';
      Object.assign(asking.config.linux as object, { cgroupsPath: `/nvoci-test-${process.pid}-large` });
      const text = JSON.stringify(asking.config, null, 2);
      expect(text).toContain(marker);
      const file = join(asking.directory, "config.json");
      const given = text.replace(marker, large);
      jetson.place.run(["tee", file], { input: given });
      expect(again(asking)).toMatchObject({ status: 0, stderr: "" });
      const edited = readFileSync(file, "utf8");
      expect(edited).toContain(large);
      const rest = given.split("\n").filter((line) => !edited.includes(line));
      expect(rest.map((line) => line.trim())).toEqual(['"devices": [],']);
      const { hooks } = JSON.parse(edited) as Config;
      expect(hooks?.prestart?.[0]).toEqual(foreign);
      expect(hooks).toMatchObject({ poststop: [foreign] });
    });

    it.each([
      "nvidia-container-runtime-hook",
      "nvidia-container-toolkit",
    ])("has no second hook if the container engine added %s", (name) => {
      const path = join(made.path, name);
      jetson.place.run(["ln", "-sf", build.path, path]);
      const asking = ask({
        hooks: { prestart: [{ path, args: [name, "prestart"], env: ["PATH=/usr/bin"] }] },
      });
      expect(run(asking, describeCommand(jetson))).toEqual(describeHost(jetson));
      expect(config(asking).hooks?.prestart).toHaveLength(1);
    });

    it("does not get a device again that config.json already has", () => {
      const [path = ""] = jetson.devices;
      const given = { path, type: "c", major: 60, minor: 77 };
      const asking = ask({ devices: [given] });
      const { stdout } = run(asking, ["/bin/busybox", "stat", "-c", "%t:%T", path]);
      expect(stdout.trim()).toBe("3c:4d");
      expect(config(asking).linux.devices.filter((device) => device.path === path)).toHaveLength(1);
    });

    it("lets a user open a device that only a group of the host may open", () => {
      const card = jetson.devices.find((path) => path.startsWith("/dev/dri/")) ?? "";
      const asUser = (spec: Record<string, unknown>) => {
        (spec.process as { user: object }).user = { uid: 1000, gid: 1000 };
      };
      const asking = ask({ edit: asUser });
      expect(run(asking, ["cat", card]).stderr).toContain(NO_DRIVER);
      expect(config(asking).process.user.additionalGids).toEqual([44]);
      const without = askingBundle(build, { edit: asUser });
      bundles.push(without);
      expect(runContainer(without, ["cat", card], jetson.place).stderr).toContain("Permission denied");
    });

    it("works in a user namespace, without groups that it does not map", () => {
      const asking = ask({ userNamespace: true });
      expect(run(asking, describeCommand(jetson))).toEqual(describeHost(jetson));
      expect(config(asking).process.user.additionalGids).toBeUndefined();
      const { stderr } = run(asking, ["cat", "/dev/nvmap"]);
      expect(stderr).toContain(NO_DRIVER);
    });

    it("is the same as with runc if it requests no GPUs, and its config.json is unchanged", () => {
      const quiet = bundle({ env: ["NVIDIA_VISIBLE_DEVICES=void"] });
      const look = ["sh", "-c", "cat /proc/self/mountinfo | cut -d' ' -f4-; ls -lR /dev"];
      const strip = (text: string) =>
        text.replace(/nvoci-(?:bundle|test)-[^/ ]*/g, "…").replace(/\d\d:\d\d/g, "");
      const wrapped = run(quiet, look);
      const text = configText(quiet);
      const plain = runContainer(quiet, look, jetson.place);
      expect(strip(wrapped.stdout)).toEqual(strip(plain.stdout));
      expect(text.replace(/nvoci-test-\d+-\d+/, "")).toBe(
        configText(quiet).replace(/nvoci-test-\d+-\d+/, ""),
      );
      expect(text).not.toContain("nvidia-container");
    });

    it("starts, handles exec and kill, and is deleted, all through the wrapper, and leaves the image unchanged", () => {
      const asking = ask();
      const before = snapshotTree(asking.rootfs);
      const container = create(asking, ["sh", "-c", "sleep 300 & wait"]);
      container.start();
      expect(container.exec(["cat", "/dev/nvmap"]).stderr).toContain(NO_DRIVER);
      expect(container.exec(["sh", "-c", "exit 42"]).status).toBe(42);
      expect(container.call("pause").status).toBe(0);
      expect(container.call("resume").status).toBe(0);
      expect(container.call("kill", "--all").status).toBe(0);
      container.delete();
      containers.pop();
      const changed = snapshotTree(asking.rootfs).filter((line) => !before.includes(line));
      expect(changed.filter((line) => line.startsWith("/dev/nv"))).toEqual([]);
    });

    it("keeps its devices over the runtime's update", () => {
      const asking = ask();
      const wrapped = create(asking);
      wrapped.start();
      writeFileSync(join(asking.directory, "resources.json"), "{}");
      // A version 2 hierarchy lacks the controllers that version 1 uses, so the update can set nothing else.
      const change =
        cgroup === "host"
          ? ["--cpu-share", "512"]
          : ["--resources", join(asking.directory, "resources.json")];
      expect(wrapped.call("update", ...change)).toMatchObject({ status: 0, stderr: "" });
      for (const node of jetson.devices)
        expect(wrapped.exec(["cat", node]).stderr, node).toContain(NO_DRIVER);
    });
  });
});
