import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type CommandResult, runCommand } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { makeRecorder, type Recorder } from "../support/engines/recorder.ts";
import { type Jetson, openJetson } from "../support/host/jetson.ts";

const ASKS = "NVIDIA_VISIBLE_DEVICES=all";

describeBuilds([...CONTAINER, "gcc"], "the wrapper", (build) => {
  let made: TemporaryDirectory;
  let recorder: Recorder;
  let wrapper: string;
  const at = (name: string): string => join(made.path, name);
  const environment = (): Record<string, string> => ({
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    NVIDIA_CTK_CONFIG_FILE_PATH: at("config.toml"),
  });
  const configure = (text: string) => writeFileSync(at("config.toml"), text);
  const runtimes = (...names: string[]) =>
    configure(`[nvidia-container-runtime]\nruntimes = ${JSON.stringify(names)}\n`);
  const call = (words: readonly string[], env: Record<string, string> = {}): CommandResult =>
    runCommand([wrapper, ...words], { env: { ...environment(), ...env }, cwd: made.path });
  /** Writes a bundle's config.json. */
  const bundle = (name: string, text: string): string => {
    mkdirSync(at(name), { recursive: true });
    writeFileSync(at(`${name}/config.json`), text);
    return at(name);
  };
  const specAsking = (env: readonly string[]): string =>
    JSON.stringify({ ociVersion: "1.0.2", process: { env }, root: { path: "rootfs" } }, null, 1);

  beforeAll(() => {
    made = temporaryDirectory("wrapper");
    recorder = makeRecorder(at("recorder"));
    wrapper = at("nvidia-container-runtime");
    symlinkSync(build.path, wrapper);
  });
  beforeEach(() => {
    runtimes(recorder.path);
    recorder.take();
  });
  afterAll(() => made?.remove());

  describe("before the runtime", () => {
    it("passes on every argument, and returns the exit status", () => {
      const words = ["--root", "", "state", "a b", "é😀", "--", "-x", "\\n", ""];
      expect(call(words)).toEqual({ status: 7, stdout: "", stderr: "" });
      const argv = [recorder.path, ...words].map((word) => Buffer.from(word).toString("latin1"));
      expect(recorder.take()?.argv).toEqual(argv);
      expect(call([]).status).toBe(7);
      expect(recorder.take()?.argv).toEqual([recorder.path]);
    });

    it("passes on arguments and variables that are not UTF-8", () => {
      const script = 'B=$(printf "b\\377\\200") exec "$0" kill "$(printf "a\\377\\376z")" KILL';
      const { status } = runCommand(["sh", "-c", script, wrapper], { env: environment() });
      expect(status).toBe(7);
      const record = recorder.take();
      expect(record?.argv.slice(1)).toEqual(["kill", "a\xff\xfez", "KILL"]);
      expect(record?.environ).toContain("B=b\xff\x80");
    });

    it("passes on the environment unchanged", () => {
      const env = { _LIBCONTAINER_X: "1", EMPTY: "", NODE_CHANNEL: "x", NOTIFY_SOCKET: "/run/s" };
      call(["start", "c"], env);
      const given = Object.entries({ ...environment(), ...env }).map(([name, value]) => `${name}=${value}`);
      // The launcher of the Node.js build is a shell script, and the shell sets this variable.
      const environ = recorder.take()?.environ.filter((entry) => !entry.startsWith("PWD="));
      expect(environ?.sort()).toEqual(given.sort());
    });

    it("becomes the runtime in the same process, with the same signals and limits", () => {
      const script = 'ulimit -S -n 777; echo $$; exec "$0" start c';
      const { stdout } = runCommand(["sh", "-c", script, wrapper], { env: environment() });
      const record = recorder.take();
      expect(record?.status("Pid")).toBe(stdout.trim());
      expect(record?.openFiles).toBe(777);
      expect(BigInt(`0x${record?.status("SigIgn")}`) & 0x1000n).toBe(0n);
      expect(BigInt(`0x${record?.status("SigBlk")}`)).toBe(0n);
    });

    it("passes on descriptors and opens none", () => {
      const extra = [3, 4, 5, 6].map(() => openSync("/dev/null", "r"));
      const inherit = ["ignore", "ignore", "ignore", extra[0], extra[1], "pipe"] as const;
      spawnSync(wrapper, ["create", "--preserve-fds", "2", "c"], {
        env: environment(),
        cwd: made.path,
        stdio: [...inherit],
      });
      for (const fd of extra) closeSync(fd);
      expect(recorder.take()?.descriptors).toEqual([0, 1, 2, 3, 4, 5]);
    });

    it("passes on a terminal as a terminal", () => {
      const shown = runCommand(["script", "-qec", `${wrapper} start c; echo $?`, "/dev/null"], {
        env: environment(),
      });
      expect(shown.stdout.trim()).toBe("7");
    });
  });

  describe("looking for the runtime", () => {
    const missing = { status: 1, stderr: expect.stringMatching(/^nvoci: Cannot find the low-level runtime/) };

    it("runs the first configured one that is executable", () => {
      writeFileSync(at("no-program"), "");
      mkdirSync(at("directory"), { recursive: true });
      runtimes("/nowhere/runc", at("no-program"), at("directory"), "no-such-runtime", recorder.path, "runc");
      expect(call(["state", "c"]).status).toBe(7);
    });

    it("searches PATH for a name, and then the usual directories", () => {
      runtimes("recorder");
      expect(call(["state", "c"], { PATH: `/nowhere:${at("recorder")}` }).status).toBe(7);
      expect(call(["state", "c"], { PATH: "recorder:" })).toMatchObject(missing);
      configure("");
      expect(call(["--version"], { PATH: "/nowhere" }).stdout).toMatch(/^runc version/);
    });

    it("never runs itself under any name", () => {
      mkdirSync(at("links"), { recursive: true });
      for (const name of ["runc", "other"]) symlinkSync(wrapper, at(`links/${name}`));
      runtimes(at("links/other"), "runc");
      expect(call(["--version"], { PATH: `${at("links")}:/usr/sbin` }).stdout).toMatch(/^runc version/);
      runtimes(wrapper, at("links/runc"), build.path);
      const { status, stderr } = call(["--version"]);
      expect({ status, stderr }).toEqual(missing);
      expect(stderr).toContain("nvoci itself");
    });

    it("reports what it searched for if there is none, also in the runtime's log", () => {
      runtimes("no-such-runtime", "/nowhere/crun");
      const json = at("missing.json");
      const result = call(["--log", json, "--log-format=json", "create", "c"]);
      expect(result).toMatchObject(missing);
      expect(result.stderr).toMatch(/no-such-runtime.*\/nowhere\/crun/);
      const line = JSON.parse(readFileSync(json, "utf8"));
      expect(line).toMatchObject({ level: "error", msg: expect.stringContaining("no-such-runtime") });
      expect(new Date(line.time).getTime()).toBeGreaterThan(0);
    });

    it("can stop a container despite a mistake elsewhere in config.toml", () => {
      configure(`mistake = 1\n[nvidia-container-runtime]\nruntimes = ["${recorder.path}"]\nmode = "cdi"\n`);
      expect(call(["kill", "c"]).status).toBe(7);
    });

    it("runs the default one if config.toml is invalid and names none", () => {
      configure("[nvidia-container-runtime\n");
      expect(call(["--version"]).stdout).toMatch(/^runc version/);
    });

    it("does not guess the runtime if config.toml names one and is invalid", () => {
      configure("[nvidia-container-runtime\nruntimes = ['runc']\n");
      expect(call(["kill", "c"])).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/config\.toml.*line 1/),
      });
      configure("[nvidia-container-runtime]\nruntimes = []\n");
      expect(call(["kill", "c"])).toMatchObject({ status: 1, stderr: expect.stringContaining("runtimes") });
    });
  });

  describe("with a bundle whose container requests no GPUs", () => {
    it.each([
      [[]],
      [["NVIDIA_VISIBLE_DEVICES=void"]],
      [["NVIDIA_VISIBLE_DEVICES="]],
    ])("leaves %j alone", (env) => {
      const file = join(bundle("quiet", specAsking(env)), "config.json");
      const before = statSync(file, { bigint: true });
      expect(call(["create", "--bundle", at("quiet"), "c"])).toEqual({ status: 7, stdout: "", stderr: "" });
      expect(statSync(file, { bigint: true })).toMatchObject({ ino: before.ino, ctimeNs: before.ctimeNs });
    });

    it("leaves errors in the bundle to the runtime's messages", () => {
      expect(call(["create", "--bundle", at("no-bundle"), "c"])).toEqual({
        status: 7,
        stdout: "",
        stderr: "",
      });
    });
  });

  describe("on a Jetson, with a bundle whose container requests GPUs", () => {
    let jetson: Jetson;
    beforeAll(async () => {
      jetson = await openJetson();
    });
    afterAll(() => jetson?.close());
    const callThere = (words: readonly string[], directory = made.path): CommandResult =>
      jetson.place.run(["sh", "-c", 'cd "$0" && exec "$@"', directory, wrapper, ...words], {
        env: environment(),
      });
    const isEdited = (words: readonly string[], name = "asking"): boolean => {
      const text = specAsking([ASKS]);
      const file = join(bundle(name, text), "config.json");
      const result = callThere(words, at(name));
      expect(result).toEqual({ status: 7, stdout: "", stderr: "" });
      return readFileSync(file, "utf8") !== text;
    };

    it.each([
      [["create", "c"]],
      [["run", "c"]],
      [["create", "--bundle", ".", "c"]],
      [["--root", "/r", "--log-format", "json", "--debug", "create", "-b", ".", "--pid-file", "p", "c"]],
      [["-root=/r", "create", "c", "-bundle=../asking"]],
      [["create", "-b", "/nowhere", "--bundle=.", "--no-pivot", "c"]],
      [["--", "run", "--detach", "c"]],
      [["create", "--", "--help"]],
    ])("edits it for %j", (words) => {
      expect(isEdited(words)).toBe(true);
    });

    it.each([
      [["state", "create"]],
      [["delete", "--force", "create"]],
      [["--root", "create", "start", "c"]],
      [["--log", "create", "kill", "create", "TERM"]],
      [["exec", "c", "create", "c"]],
      [["exec", "--env", "create", "c", "run"]],
      [["update", "--bundle", ".", "create"]],
      [["spec", "--bundle", "."]],
      [["create", "--help"]],
      [["--version", "create", "c"]],
      [["--", "--root", "create", "c"]],
      [["list", "create"]],
      [[]],
    ])("does not read it for %j", (words) => {
      expect(isEdited(words)).toBe(false);
    });

    it("edits nothing if the runtime is missing", () => {
      runtimes("/nowhere/runc");
      const text = specAsking([ASKS]);
      const file = join(bundle("asking", text), "config.json");
      expect(callThere(["create", "--bundle", at("asking"), "c"]).status).toBe(1);
      expect(readFileSync(file, "utf8")).toBe(text);
    });

    it.each([
      ["text that is not JSON", `{"process": {"env": ["${ASKS}"]},\n "x" 1}`, "line 2, column 6"],
      ["bytes that are not UTF-8", Buffer.from(`{"process": {"env": ["${ASKS}\xff"]}}`, "latin1"), "UTF-8"],
      [
        "devices of a wrong type",
        `{"process":{"env":["${ASKS}"]},"root":{"path":"r"},"linux":{"devices":7}}`,
        "linux.devices",
      ],
      [
        "hooks of a wrong type",
        `{"process":{"env":["${ASKS}"]},"root":{"path":"r"},"hooks":{"prestart":{}}}`,
        "hooks.prestart",
      ],
      ["a request for a missing GPU", specAsking(["NVIDIA_VISIBLE_DEVICES=GPU-none"]), "GPU-none"],
    ])("does not start the runtime given %s, reports it where engines look, and leaves the file alone", (_, content, reason) => {
      mkdirSync(at("faulty"), { recursive: true });
      const file = at("faulty/config.json");
      writeFileSync(file, content);
      const log = at("log.json");
      writeFileSync(log, '{"level":"info"}\n');
      const words = ["--log", log, "--log-format", "json", "create", "-b", at("faulty"), "c"];
      const { status, stderr } = callThere(words);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^nvoci: Cannot /);
      expect(stderr).toContain(reason);
      const lines = readFileSync(log, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(lines).toEqual([
        { level: "info" },
        { level: "error", time: expect.any(String), msg: expect.any(String) },
      ]);
      expect(lines[1].msg).toContain(reason);
      expect(recorder.take()).toBeUndefined();
      expect(readFileSync(file)).toEqual(Buffer.from(content));
    });

    it("logs as text by default", () => {
      bundle("faulty", "{");
      call(["--log", at("log.txt"), "create", "--bundle", at("faulty"), "c"]);
      expect(readFileSync(at("log.txt"), "utf8")).toMatch(
        /^time="[^"]+" level=error msg="nvoci: Cannot read .*"\n$/,
      );
    });
  });
});
