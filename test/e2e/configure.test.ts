import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { type CommandResult, runCommand } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { describeBuilds } from "../support/engines/prerequisites.ts";
import { installLinks } from "../support/engines/wrapper.ts";

const DAEMON = '{\n  "log-driver": "journald",\n  "max-concurrent-downloads": 18446744073709551615\n}\n';

describeBuilds([], "nvoci configure", (build) => {
  const made: TemporaryDirectory[] = [];
  let directory: string;
  let wrapper: string;
  const at = (name: string): string => join(directory, name);
  const read = (name: string): string => readFileSync(at(name), "utf8");
  const configure = (engine: string, file: string, ...options: string[]): CommandResult =>
    runCommand([
      build.path,
      "configure",
      engine,
      "--config",
      at(file),
      "--runtime-path",
      wrapper,
      ...options,
    ]);

  beforeEach(() => {
    const temporary = temporaryDirectory("configure");
    made.push(temporary);
    directory = temporary.path;
    wrapper = installLinks(build, at("bin"));
  });
  afterAll(() => {
    for (const temporary of made) temporary.remove();
  });

  describe("docker", () => {
    it("adds the runtime, keeps the rest, the mode and a backup, and prints what to do next", () => {
      writeFileSync(at("daemon.json"), DAEMON, { mode: 0o600 });
      const { status, stdout, stderr } = configure("docker", "daemon.json", "--default");
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain("systemctl restart docker");
      expect(JSON.parse(read("daemon.json"))).toMatchObject({
        runtimes: { nvidia: { path: wrapper } },
        "default-runtime": "nvidia",
      });
      expect(read("daemon.json")).toContain("18446744073709551615");
      expect(read("daemon.json.nvoci-backup")).toBe(DAEMON);
      expect(statSync(at("daemon.json")).mode & 0o777).toBe(0o600);
    });

    it("removes what it added, and the backup", () => {
      writeFileSync(at("daemon.json"), DAEMON);
      configure("docker", "daemon.json", "--default");
      expect(configure("docker", "daemon.json", "--remove").status).toBe(0);
      expect(read("daemon.json")).toBe(DAEMON);
      expect(existsSync(at("daemon.json.nvoci-backup"))).toBe(false);
    });

    it("creates the file with its directories, and removes the file that it created", () => {
      expect(configure("docker", "etc/docker/daemon.json").status).toBe(0);
      expect(JSON.parse(read("etc/docker/daemon.json"))).toEqual({ runtimes: { nvidia: { path: wrapper } } });
      expect(existsSync(at("etc/docker/daemon.json.nvoci-backup"))).toBe(false);
      expect(configure("docker", "etc/docker/daemon.json", "--remove").status).toBe(0);
      expect(existsSync(at("etc/docker/daemon.json"))).toBe(false);
    });

    it("keeps the first backup, and does not write when there is nothing to change", () => {
      writeFileSync(at("daemon.json"), DAEMON);
      configure("docker", "daemon.json");
      const { ino } = statSync(at("daemon.json"));
      expect(configure("docker", "daemon.json").stdout).toContain("nothing to change");
      expect(statSync(at("daemon.json")).ino).toBe(ino);
      configure("docker", "daemon.json", "--default");
      expect(read("daemon.json.nvoci-backup")).toBe(DAEMON);
    });

    it("prints a change that patch(1) can apply with --dry-run, and changes nothing", () => {
      writeFileSync(at("daemon.json"), DAEMON);
      const { stdout } = configure("docker", "daemon.json", "--default", "--dry-run");
      expect(read("daemon.json")).toBe(DAEMON);
      expect(existsSync(at("daemon.json.nvoci-backup"))).toBe(false);
      expect(runCommand(["patch", "--quiet", at("daemon.json")], { input: stdout }).status).toBe(0);
      expect(JSON.parse(read("daemon.json"))).toMatchObject({ "default-runtime": "nvidia" });
    });

    it("keeps no backup of a file that it created, and removes all of it", () => {
      configure("docker", "daemon.json");
      configure("docker", "daemon.json", "--default");
      expect(existsSync(at("daemon.json.nvoci-backup"))).toBe(false);
      expect(configure("docker", "daemon.json", "--remove").status).toBe(0);
      expect(existsSync(at("daemon.json"))).toBe(false);
    });

    it("edits the target of a link and keeps the link", () => {
      writeFileSync(at("real.json"), DAEMON);
      symlinkSync("real.json", at("daemon.json"));
      expect(configure("docker", "daemon.json").status).toBe(0);
      expect(JSON.parse(read("real.json"))).toMatchObject({ runtimes: { nvidia: { path: wrapper } } });
      expect(configure("docker", "daemon.json", "--remove").status).toBe(0);
      expect(read("real.json")).toBe(DAEMON);
    });

    it("creates the target of a dangling link, writable only by its owner, and keeps the link", () => {
      mkdirSync(at("elsewhere"));
      symlinkSync("elsewhere/daemon.json", at("daemon.json"));
      expect(configure("docker", "daemon.json").status).toBe(0);
      expect(readlinkSync(at("daemon.json"))).toBe("elsewhere/daemon.json");
      expect(JSON.parse(read("elsewhere/daemon.json"))).toEqual({ runtimes: { nvidia: { path: wrapper } } });
      expect(lstatSync(at("elsewhere/daemon.json")).mode & 0o777).toBe(0o644);
      expect(configure("docker", "daemon.json", "--remove").status).toBe(0);
      expect(readdirSync(at("elsewhere"))).toEqual([]);
      expect(readlinkSync(at("daemon.json"))).toBe("elsewhere/daemon.json");
    });

    it.each([
      ["a link to itself", "daemon.json", "leads back to itself"],
      ["a link into a missing directory", "missing/daemon.json", "directory does not exist"],
    ])("refuses %s and leaves it alone", (_, target, reason) => {
      symlinkSync(target, at("daemon.json"));
      for (const options of [[], ["--remove"], ["--dry-run"]]) {
        const { status, stderr } = configure("docker", "daemon.json", ...options);
        expect(status).toBe(1);
        expect(stderr.split("\n")[0]).toMatch(/^nvoci: Cannot edit ".*daemon\.json": it is a link /);
        expect(stderr).toContain(reason);
      }
      expect(readlinkSync(at("daemon.json"))).toBe(target);
      expect(readdirSync(directory).sort()).toEqual(["bin", "daemon.json"]);
    });

    it("does not copy the mode of a link in the backup's place", () => {
      writeFileSync(at("daemon.json"), DAEMON);
      symlinkSync("nowhere", at("daemon.json.nvoci-backup"));
      expect(configure("docker", "daemon.json").status).toBe(0);
      expect(lstatSync(at("daemon.json.nvoci-backup")).mode & 0o777).toBe(0o644);
    });

    it.each([
      ["an empty file", ""],
      ["white space", " \n\n"],
      ["runtimes that are null", '{"runtimes": null}'],
      ["no last line break", '{"a":1}'],
      ["a default runtime", '{\n\t"default-runtime": "runc",\n\t"runtimes": {}\n}'],
    ])("restores %s to the byte", (_, text) => {
      writeFileSync(at("daemon.json"), text);
      expect(configure("docker", "daemon.json", "--remove").status).toBe(0);
      expect(read("daemon.json")).toBe(text);
      for (const options of [[], ["--default"]]) {
        expect(configure("docker", "daemon.json", ...options).status).toBe(0);
        expect(read("daemon.json")).not.toBe(text);
        expect(configure("docker", "daemon.json", "--remove").status).toBe(0);
        expect(read("daemon.json")).toBe(text);
      }
    });

    it("refuses a duplicate key, of which dockerd and nvoci could use different values", () => {
      const text = '{"runtimes": {"a": {"path": "/a"}},\n "runtimes": {}}\n';
      writeFileSync(at("daemon.json"), text);
      const { status, stderr } = configure("docker", "daemon.json");
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: expect.stringContaining('line 2, column 2 repeats the key "runtimes"'),
      });
      expect(read("daemon.json")).toBe(text);
    });

    it.each([
      ["text that is not JSON", '{\n "a": 1,\n}\n', "line 3"],
      ["bytes that are not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "UTF-8"],
    ])("refuses a file with %s in one line, and leaves it alone", (_, content, reason) => {
      writeFileSync(at("daemon.json"), content);
      const { status, stderr } = configure("docker", "daemon.json");
      expect(status).toBe(1);
      expect(stderr.split("\n")[0]).toMatch(/^nvoci: Cannot edit /);
      expect(stderr).toContain(reason);
      expect(readFileSync(at("daemon.json"))).toEqual(Buffer.from(content));
    });

    it("cannot register a missing program", () => {
      const options = ["--config", at("daemon.json"), "--runtime-path", at("none")];
      const { status, stderr } = runCommand([build.path, "configure", "docker", ...options]);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^nvoci: Cannot find the program .*none/);
      expect(existsSync(at("daemon.json"))).toBe(false);
    });
  });

  it.each(["containerd", "crio", "podman"])("registers with %s and unregisters", (engine) => {
    expect(configure(engine, `${engine}.d/file.toml`, "--default").status).toBe(0);
    expect(read(`${engine}.d/file.toml`)).toContain(wrapper);
    expect(configure(engine, `${engine}.d/file.toml`, "--remove").status).toBe(0);
    expect(readdirSync(at(`${engine}.d`))).toEqual([]);
  });

  describe("podman", () => {
    const HOOK = "99-nvoci.hooks.d/oci-nvoci-prestart.json";

    it("adds a hook that calls this program, and keeps a directory that others use", () => {
      const { stdout } = configure("podman", "99-nvoci.conf");
      expect(stdout).toContain(at("99-nvoci.conf"));
      expect(stdout).toContain(at(HOOK));
      const { hook } = JSON.parse(read(HOOK));
      expect(hook).toMatchObject({ path: realpathSync(wrapper), args: ["nvoci", "hook", "prestart"] });
      expect(configure("podman", "99-nvoci.conf").stdout).toContain("nothing to change");
      writeFileSync(at("99-nvoci.hooks.d/other.json"), "");
      expect(configure("podman", "99-nvoci.conf", "--remove").status).toBe(0);
      expect(existsSync(at(HOOK))).toBe(false);
      expect(existsSync(at("99-nvoci.hooks.d/other.json"))).toBe(true);
    });

    it("prints both files with --dry-run, and writes neither", () => {
      const { stdout } = configure("podman", "99-nvoci.conf", "--dry-run");
      expect(stdout).toContain(`+++ ${at("99-nvoci.conf")}`);
      expect(stdout).toContain(`+++ ${at(HOOK)}`);
      expect(readdirSync(directory)).toEqual(["bin"]);
    });
  });

  describe("containerd", () => {
    it.each(["version = 2", "version = 2\n", "version = 2\n\n"])("restores %j to the byte", (text) => {
      writeFileSync(at("config.toml"), text);
      expect(configure("containerd", "config.toml").status).toBe(0);
      expect(read("config.toml")).toContain("# nvoci: end");
      expect(configure("containerd", "config.toml", "--remove").status).toBe(0);
      expect(read("config.toml")).toBe(text);
    });

    it.each([
      ["has lost its end", (text: string) => text.replace("# nvoci: end\n", ""), "has no end"],
      [
        "contains others' lines",
        (text: string) => text.replace("# nvoci: end", "# mine\n# nvoci: end"),
        "did not write",
      ],
    ])("refuses a file whose block %s, and keeps every line", (_, damage, reason) => {
      writeFileSync(at("config.toml"), "version = 2\n");
      configure("containerd", "config.toml");
      const damaged = `${damage(read("config.toml"))}\n[debug]\nlevel = "info"\n`;
      writeFileSync(at("config.toml"), damaged);
      for (const options of [[], ["--default"], ["--remove"]]) {
        const { status, stderr } = configure("containerd", "config.toml", ...options);
        expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(reason) });
        expect(read("config.toml")).toBe(damaged);
      }
    });
  });

  it("refuses an unknown container engine", () => {
    const { status, stderr } = configure("lxc", "x");
    expect(status).toBe(2);
    expect(stderr).toContain("docker");
  });

  it("refuses --remove together with --default", () => {
    mkdirSync(at("d"));
    expect(configure("docker", "d/daemon.json", "--remove", "--default").status).toBe(2);
  });
});
