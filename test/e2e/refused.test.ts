import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { FakeServerOptions } from "../../fixtures/host/fake-server.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { readRecording, recordedHook } from "../support/engines/recorded-hook.ts";
import { serversOfEachTest } from "../support/engines/servers-of-each-test.ts";
import { installLinks } from "../support/engines/wrapper.ts";

interface Refusal {
  readonly options: FakeServerOptions;
  readonly env?: readonly string[];
  /** What is found out, in the order of the phases: configuration, request, host, discovery; the refusal last. */
  readonly expected: readonly string[];
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  "for lack of a driver": {
    options: { modules: null },
    expected: ["the kernel module nvidia cannot be loaded: ", "its kernel modules are not loaded"],
  },
  "for an unknown GPU": {
    options: {},
    env: ["NVIDIA_VISIBLE_DEVICES=7"],
    expected: ['Cannot find GPU "7"', "the host has GPU 0"],
  },
  "for a requirement": {
    options: {},
    env: ["NVIDIA_REQUIRE_CUDA=brand=tesla,arch>=9.0,cuda>=99"],
    expected: [
      'Cannot meet the requirement "brand=tesla,arch>=9.0,cuda>=99"',
      "hint: update the host's driver",
    ],
  },
  "for an invalid request": {
    options: {},
    env: ["NVIDIA_DRIVER_CAPABILITIES=grapics"],
    expected: ['Cannot grant the driver capability "grapics"'],
  },
  "for libraries of another driver": {
    options: { versions: ["470.57.02"] },
    expected: ["Cannot use", "535.86.05"],
  },
};

describeBuilds([...CONTAINER, "gcc"], "a container that is refused", (build) => {
  const { open, ask } = serversOfEachTest(build);
  const { path: directory, remove } = temporaryDirectory("refused");
  afterAll(remove);
  let count = 0;
  const unused = (name: string): string => join(directory, `${++count}-${name}`);

  const expectAll = (lines: readonly string[], expected: readonly string[]): void => {
    const text = lines.join("\n").replaceAll('\\"', '"');
    let at = 0;
    for (const part of ["unknown-key", ...expected]) {
      expect(text.slice(at)).toContain(part);
      at = text.indexOf(part, at);
    }
  };
  const linesOf = (file: string): string[] => readFileSync(file, "utf8").trimEnd().split("\n");

  describe.each(Object.entries(REFUSALS))("%s", (_, { options, env = [], expected }) => {
    it("leaves everything that was found out in the hook's log and, with -debug, on standard error", async () => {
      const log = unused("hook.log");
      const recording = unused("recording");
      const config = `unknown-key = 1\n[nvidia-container-cli]\ndebug = "${log}"\n`;
      const server = await open({ ...options, config });
      const hook = recordedHook([build.path, "hook", "-debug", "prestart"], recording);
      const { status } = runContainer(ask({ env, hooks: { prestart: [hook] } }), ["true"], server.place);
      expect(status).not.toBe(0);
      const logged = linesOf(log);
      expectAll(logged, expected);
      expect(logged.at(-1)).toContain("level=error");
      const printed = readRecording(recording)?.lines ?? [];
      expectAll(printed, expected);
      // The file's lines are the same, but for the time, and the error is one line there.
      const found = logged.slice(0, -1).map((line) => JSON.parse(/msg=(".*")$/.exec(line)?.[1] ?? '""'));
      expect(printed.slice(0, found.length)).toEqual(found.map((text: string) => `nvoci: ${text}`));
    });

    it("leaves everything that was found out in the wrapper's log", async () => {
      const log = unused("wrapper.log");
      const config = `unknown-key = 1\n[nvidia-container-runtime]\ndebug = "${log}"\n`;
      const server = await open({ ...options, config });
      const wrapper = installLinks(build, unused("bin"));
      const { status } = runContainer(ask({ env, hooks: {} }), ["true"], server.place, wrapper);
      expect(status).not.toBe(0);
      expect(existsSync(log)).toBe(true);
      expectAll(linesOf(log), expected);
      expect(linesOf(log).at(-1)).toContain("level=error");
    });
  });
});
