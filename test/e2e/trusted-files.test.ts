import { chmodSync, chownSync, linkSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Bundle } from "../../fixtures/bundle.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { type BareContainer, openBareContainer } from "../support/engines/bare-container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { installLinks } from "../support/engines/wrapper.ts";
import { askingBundle, type Jetson, openJetson } from "../support/host/jetson.ts";

const NOBODY = 65534;

/** Files that control what root does, when another user can write to them. */
describeBuilds(CONTAINER, "a file that controls what root does", (build) => {
  let jetson: Jetson;
  let bundle: Bundle;
  let container: BareContainer;
  const made: TemporaryDirectory[] = [];
  let directory: string;
  const at = (name: string): string => join(directory, name);

  beforeAll(async () => {
    jetson = await openJetson();
    bundle = askingBundle(build);
    container = await openBareContainer(bundle, jetson.place);
  });
  beforeEach(() => {
    const temporary = temporaryDirectory("trusted");
    made.push(temporary);
    directory = temporary.path;
  });
  afterAll(() => {
    container?.close();
    bundle?.remove();
    jetson?.close();
    for (const temporary of made) temporary.remove();
  });

  const runHook = () => container.runHook([build.path, "hook", "-config", at("config.toml"), "prestart"]);

  const CHANGES: readonly (readonly [
    name: string,
    change: (path: string) => void,
    reason: string,
    remedy: string,
  ])[] = [
    ["every user may write to", (path) => chmodSync(path, 0o666), "every user may write to it", "chmod go-w"],
    [
      "a group may write to",
      (path) => {
        chownSync(path, 0, 44);
        chmodSync(path, 0o664);
      },
      "group 44 may write to it",
      "chmod g-w",
    ],
    [
      "belongs to another user",
      (path) => chownSync(path, NOBODY, 0),
      "it belongs to user 65534",
      "chown root",
    ],
  ];

  it.each(CHANGES)("is not trusted by the hook if it is one that %s", (_, change, reason, remedy) => {
    writeFileSync(at("config.toml"), "# nothing\n");
    change(at("config.toml"));
    const before = container.snapshot();
    const { status, stdout, stderr } = runHook();
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr.split("\n")[0]).toBe(`nvoci: Cannot trust "${at("config.toml")}": ${reason}`);
    expect(stderr).toContain(remedy);
    expect(container.snapshot()).toEqual(before);
  });

  it.each(CHANGES)("cannot make the wrapper run a program if it is one that %s", (_, change, reason) => {
    const wrapper = installLinks(build, at("bin"));
    const evidence = at("evidence");
    writeFileSync(at("evil"), `#!/bin/sh\ntouch ${evidence}\n`, { mode: 0o755 });
    writeFileSync(at("config.toml"), `[nvidia-container-runtime]\nruntimes = ["${at("evil")}"]\n`);
    const env = { PATH: "/usr/sbin:/usr/bin", NVIDIA_CTK_CONFIG_FILE_PATH: at("config.toml") };
    const call = () => {
      const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      return jetson.place.run(["env", "-i", ...words, wrapper, "list"]);
    };
    expect(call().status).toBe(0);
    mustRun(["rm", evidence]);
    change(at("config.toml"));
    expect(call()).toMatchObject({ status: 1, stderr: expect.stringContaining(reason) });
    expect(() => lstatSync(evidence)).toThrow();
  });

  it("is trusted if only root's group may write to it", () => {
    writeFileSync(at("config.toml"), "[nvidia-container-cli]\nno-cgroups = true\n[nvoci]\nmistake = ");
    chmodSync(at("config.toml"), 0o664);
    expect(runHook().stderr).toMatch(/^nvoci: Cannot read .*line 4/);
  });

  describe("as a log", () => {
    const CONFIG = () => `[nvidia-container-cli]\ndebug = "${at("log")}"\nno-cgroups = true\n`;

    /** Runs a hook that succeeds whether or not it can log. Each test has its own log. */
    async function start(): Promise<string> {
      writeFileSync(at("config.toml"), CONFIG());
      const own = askingBundle(build);
      const subject = await openBareContainer(own, jetson.place);
      try {
        const { status, stdout, stderr } = subject.runHook([
          build.path,
          "hook",
          "-config",
          at("config.toml"),
          "prestart",
        ]);
        expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
        return stderr;
      } finally {
        subject.close();
        own.remove();
      }
    }

    it("is readable only by root and its group, and appended to", async () => {
      expect(await start()).toBe("");
      expect(lstatSync(at("log")).mode & 0o777).toBe(0o640);
      const first = readFileSync(at("log"), "utf8");
      expect(first).toContain("operations");
      expect(await start()).toBe("");
      expect(readFileSync(at("log"), "utf8").startsWith(first)).toBe(true);
    });

    it.each([
      ["a link to a file of root", () => symlinkSync(at("victim"), at("log")), "ELOOP"],
      ["a hard link to a file of root", () => linkSync(at("victim"), at("log")), "second name"],
      ["a link to a missing file", () => symlinkSync(at("new"), at("log")), "ELOOP"],
      ["a FIFO without a reader", () => mustRun(["mkfifo", at("log")]), "ENXIO"],
      ["a device", () => mustRun(["mknod", at("log"), "c", "1", "3"]), "character-device"],
      ["a directory", () => mustRun(["mkdir", at("log")]), "EISDIR"],
    ])("is not written to if it is %s, and the container starts", async (_, lay, reason) => {
      writeFileSync(at("victim"), "root's own\n");
      lay();
      const stderr = await start();
      expect(stderr).toMatch(/^nvoci: No log is written: [^\n]+\n$/);
      expect(stderr).toContain(reason);
      expect(readFileSync(at("victim"), "utf8")).toBe("root's own\n");
      expect(() => lstatSync(at("new"))).toThrow();
    });

    it("is not followed if it is a link by the wrapper, which logs an error to the engine's log", () => {
      writeFileSync(at("victim"), "root's own\n");
      symlinkSync(at("victim"), at("log"));
      writeFileSync(at("config.toml"), "broken");
      const wrapper = installLinks(build, at("bin"));
      const env = [
        "env",
        "-i",
        `NVIDIA_CTK_CONFIG_FILE_PATH=${at("config.toml")}`,
        "PATH=/usr/sbin:/usr/bin",
      ];
      const call = (log: string) =>
        jetson.place.run([...env, wrapper, "--log", at(log), "create", "--bundle", bundle.directory, "c"]);
      expect(call("log").status).toBe(1);
      expect(readFileSync(at("victim"), "utf8")).toBe("root's own\n");
      expect(call("other").status).toBe(1);
      expect(readFileSync(at("other"), "utf8")).toContain("nvoci: Cannot read");
    });
  });
});
