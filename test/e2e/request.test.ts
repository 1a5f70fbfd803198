import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MANIFEST_DIRECTORY, ORIN_MANIFEST } from "../../fixtures/host/fake-l4t.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { type HookTrials, hookTrials } from "../support/engines/hook-trials.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { type Jetson, openJetson } from "../support/host/jetson.ts";
import { mountLines, snapshotTree } from "../support/host/snapshot.ts";

const DRIVER = "/usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1.1";
const CUDA = "/usr/lib/aarch64-linux-gnu/libcudnn.so.9";
const MANIFESTS = { "l4t.csv": ORIN_MANIFEST, "cuda.csv": `lib, ${CUDA}\n` };
const ASKS = "NVIDIA_VISIBLE_DEVICES=all";
const CONFIG_FILE = "/etc/nvidia-container-runtime/config.toml";

/** Returns a mount that requests a device without a variable. */
const deviceMount = (name: string) => ({
  destination: `/var/run/nvidia-container-devices/${name}`,
  type: "bind",
  source: "/dev/null",
  options: ["bind"],
});

describeBuilds([...CONTAINER, "strace"], "a request", (build) => {
  let jetson: Jetson;
  let trials: HookTrials;
  const prestart = [build.path, "hook", "prestart"];
  const configured = (text: string): string[] => [
    build.path,
    "hook",
    "-config",
    trials.file("config.toml", text),
    "prestart",
  ];

  beforeAll(async () => {
    jetson = await openJetson({ manifests: MANIFESTS });
    trials = hookTrials([DRIVER, CUDA]);
  });
  afterAll(() => {
    jetson?.close();
    trials?.remove();
  });

  describe.each([
    ["does not name the variable", []],
    ["leaves the variable empty", ["NVIDIA_VISIBLE_DEVICES="]],
    ["sets it to void", ["NVIDIA_VISIBLE_DEVICES=void"]],
  ])("that is absent because the environment %s", (_, env) => {
    it("leaves the container without a mount or a changed byte", () => {
      const look = (hooks: object) => {
        const bundle = trials.bundle({ env, hooks });
        const { status, stdout } = runContainer(bundle, ["cat", "/proc/self/mountinfo"], jetson.place);
        const ownName = /nvoci-(?:bundle|test)-[^/ ]*/g;
        const mounts = mountLines(stdout).map((line) => line.replace(ownName, "…"));
        return { status, mounts, files: snapshotTree(bundle.rootfs) };
      };
      const { entry, read } = trials.recorded(prestart);
      const hooked = look({ prestart: [entry] });
      expect(hooked).toEqual(look({}));
      expect(hooked.status).toBe(0);
      expect(read()).toEqual({ status: 0, lines: [] });
    });

    it("opens only config.json and enters no namespace", () => {
      const log = trials.path("strace");
      const changing = [
        "setns",
        "unshare",
        "chroot",
        "pivot_root",
        "mount",
        "open_tree",
        "move_mount",
        "bpf",
      ];
      const strace = ["/usr/bin/strace", "-f", "-qq", "-o", log, "-e", `trace=%file,${changing.join(",")}`];
      const { bundle, hook } = trials.start([...strace, ...prestart], jetson, { env });
      expect(hook).toEqual({ status: 0, lines: [] });
      const lines = readFileSync(log, "utf8").trimEnd().split("\n");
      const opened = lines.filter((line) => /\bopen(?:at2?)?\(/.test(line));
      expect(opened.some((line) => line.includes(`"${bundle.directory}/config.json"`))).toBe(true);
      for (const never of ["config.toml", MANIFEST_DIRECTORY, "nv_tegra_release", bundle.rootfs]) {
        expect(lines.filter((line) => line.includes(never))).toEqual([]);
      }
      const call = new RegExp(`\\b(?:${changing.join("|")})\\(`);
      expect(lines.filter((line) => call.test(line))).toEqual([]);
      // Node.js also opens its own files.
      if (build.name === "native") expect(opened).toHaveLength(1);
    });
  });

  it.each([
    ["32.7.4", undefined, [DRIVER, CUDA]],
    ["32.7.4", "csv-mounts=base", [DRIVER]],
    ["36.4.3", undefined, [DRIVER]],
    ["36.4.3", "csv-mounts=all", [DRIVER, CUDA]],
    ["36.4.3", "csv-mounts=ALL", [DRIVER]],
  ])("on L4T %s with NVIDIA_REQUIRE_JETPACK=%s gets %j", async (release, wanted, files) => {
    const board = await openJetson({ manifests: MANIFESTS, release });
    try {
      const env = [ASKS, ...(wanted === undefined ? [] : [`NVIDIA_REQUIRE_JETPACK=${wanted}`])];
      expect(trials.start(prestart, board, { env }).files).toEqual(files);
    } finally {
      board.close();
    }
  });

  it.each([
    ["an unknown release", [DRIVER, CUDA], null],
    ["L4T 36.4.3", [DRIVER], "36.4.3"],
  ])("on a board of %s gets %j", async (_, files, release) => {
    const board = await openJetson({ manifests: MANIFESTS, release });
    try {
      const byManifests = configured('[nvidia-container-runtime]\nmode = "csv"\n');
      expect(trials.start(byManifests, board).files).toEqual(files);
    } finally {
      board.close();
    }
  });

  it("gets the administrator's choice of manifests unless the image names its own", () => {
    const all = configured('[nvoci]\ncsv-mounts = "all"\n');
    expect(trials.start(all, jetson).files).toEqual([DRIVER, CUDA]);
    const env = [ASKS, "NVIDIA_REQUIRE_JETPACK=csv-mounts=base"];
    expect(trials.start(all, jetson, { env }).files).toEqual([DRIVER]);
  });

  it("can be a mount only if the administrator accepts mounts", () => {
    const accepting = configured("accept-nvidia-visible-devices-as-volume-mounts = true\n");
    const mounts = [deviceMount("all")];
    expect(trials.start(accepting, jetson, { env: [], mounts }).files).toEqual([DRIVER]);
    expect(trials.start(prestart, jetson, { env: [], mounts }).files).toEqual([]);
  });

  it("is withdrawn by the mount void, whatever the variable says", () => {
    const accepting = configured("accept-nvidia-visible-devices-as-volume-mounts = true\n");
    const { files, result } = trials.start(accepting, jetson, { mounts: [deviceMount("void")] });
    expect(files).toEqual([]);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(trials.start(prestart, jetson, { mounts: [deviceMount("void")] }).files).toEqual([DRIVER]);
  });

  it("cannot be a variable of an unprivileged container if the administrator forbids it", () => {
    const strict = configured("accept-nvidia-visible-devices-envvar-when-unprivileged = false\n");
    const denied = trials.start(strict, jetson);
    expect(denied.files).toEqual([]);
    expect(denied.result).toMatchObject({ status: 0, stderr: "" });
    const capabilities = ["CAP_SYS_ADMIN", "CAP_MKNOD"];
    expect(trials.start(strict, jetson, { capabilities }).files).toEqual([DRIVER]);
  });

  describe("with a debug log", () => {
    const logged = (level: string) => {
      const log = trials.path("nvoci.log");
      const text = `unknown-key = 1\n[nvidia-container-cli]\ndebug = "${log}"\n[nvidia-container-runtime]\nlog-level = "${level}"\n`;
      const trial = trials.start(configured(text), jetson);
      return { ...trial, lines: existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [] };
    };

    it("is logged with time, level and container, and unknown keys by name", () => {
      const { files, hook, lines } = logged("info");
      expect(files).toEqual([DRIVER]);
      expect(hook).toEqual({ status: 0, lines: [] });
      for (const line of lines) {
        expect(line).toMatch(
          /^time="\d{4}-\d\d-\d\dT[\d:.]+Z" level=(?:info|warning) container="[^"]+" msg="/,
        );
      }
      expect(lines.filter((line) => line.includes("unknown-key"))).toHaveLength(1);
      expect(lines.filter((line) => line.includes("cuda.csv") && line.includes("level=info"))).toHaveLength(
        1,
      );
    });

    it("has no line below the configured level", () => {
      const warnings = logged("warning").lines;
      expect(warnings.length).toBeGreaterThan(0);
      for (const line of warnings) expect(line).toContain("level=warning");
      expect(logged("error").lines.filter((line) => line !== "")).toEqual([]);
    });

    it("is met although the log cannot be written", () => {
      const text = '[nvidia-container-cli]\ndebug = "/proc/nowhere/nvoci.log"\n';
      expect(trials.start(configured(text), jetson).files).toEqual([DRIVER]);
    });

    it("is logged on standard error with -debug", () => {
      const { hook, files } = trials.start([build.path, "hook", "-debug", "prestart"], jetson);
      expect(files).toEqual([DRIVER]);
      expect(hook?.lines).toContainEqual(expect.stringMatching(/^nvoci: .*cuda\.csv/));
    });
  });

  it.each([
    ["a syntax error", "a = 1\nb = = 2\n", /line 2\b/],
    ["a wrong type", "[nvidia-container-cli]\nno-cgroups = 7\n", /nvidia-container-cli\.no-cgroups/],
    ["an invalid value", '[nvidia-container-runtime]\nlog-level = "loud"\n', /log-level.*loud/],
  ])("fails when config.toml has %s, with one line that names the place", (_, text, place) => {
    const { result, files, hook } = trials.start(configured(text), jetson);
    expect(result.status).not.toBe(0);
    expect(files).toEqual([]);
    expect(hook?.status).toBe(1);
    expect(hook?.lines).toEqual([expect.stringMatching(/^nvoci: Cannot .*config\.toml/)]);
    expect(hook?.lines[0]).toMatch(place);
    expect(result.stderr).toContain("config.toml");
  });

  it("fails when the file that -config names does not exist", () => {
    const { result, hook } = trials.start([build.path, "hook", "-config", "/none.toml", "prestart"], jetson);
    expect(result.status).not.toBe(0);
    expect(hook).toMatchObject({ status: 1, lines: [expect.stringContaining("/none.toml")] });
  });

  it("follows the host's config.toml by default", async () => {
    const content = '[nvoci]\ncsv-mounts = "all"\n';
    const board = await openJetson({
      manifests: MANIFESTS,
      more: [{ kind: "file", path: CONFIG_FILE, content }],
    });
    try {
      expect(trials.start(prestart, board).files).toEqual([DRIVER, CUDA]);
    } finally {
      board.close();
    }
  });
});
