import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandResult } from "../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../fixtures/run/temporary-directory.ts";
import { makeRecorder } from "../test/support/engines/recorder.ts";
import type { Attack } from "./attack.ts";
import { mutateText } from "./mutate.ts";
import { Random } from "./random.ts";
import { endFaults, LIMITS, openTarget } from "./target.ts";

/** The status of the recorder, which stands in for the runtime: the wrapper has become it. */
const STARTED = 7;

const WORDS = [
  '"hooks"',
  '"prestart"',
  '"linux"',
  '"devices"',
  '"process"',
  '"env"',
  '"Process"',
  '"root"',
  '"annotations"',
  "9223372036854775807",
  '"NVIDIA_VISIBLE_DEVICES=all"',
  '"additionalGids"',
  "[]",
  "{}",
  '"\\u0000"',
  '"\\ud800"',
  "[[[[[[[[[[",
  '{"a":',
  "/* */",
  "\ufeff",
];

/**
 * A config.json as engines write it, with everything the wrapper edits and numbers that a double cannot represent.
 */
const SPEC = JSON.stringify(
  {
    ociVersion: "1.0.2",
    process: {
      user: { uid: 0, gid: 0, additionalGids: [1, 20] },
      args: ["sh"],
      env: ["PATH=/usr/bin:/bin", "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=all"],
      capabilities: { bounding: ["CAP_CHOWN"], effective: ["CAP_CHOWN"] },
    },
    root: { path: "rootfs", readonly: false },
    mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
    hooks: { prestart: [{ path: "/bin/true", args: ["true"], env: ["A=b"], timeout: 5 }], poststop: [] },
    annotations: { "a.b/c": "é\u2028" },
    linux: {
      namespaces: [{ type: "mount" }],
      devices: [{ path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 438 }],
      resources: { devices: [{ allow: false, access: "rwm" }], memory: { limit: "LIMIT" } },
    },
  },
  null,
  1,
).replace('"LIMIT"', "18446744073709551615");

/**
 * Bundles and states that no engine writes. Either the wrapper fails and leaves config.json unchanged, or it
 * writes JSON that Node.js reads and that contains everything from before. The hook ends with 0 or 1.
 */
export const bundles: Attack = {
  name: "bundles",
  async open(build) {
    const target = await openTarget(build);
    const { path: directory, remove } = temporaryDirectory("bundles");
    const recorder = makeRecorder(join(directory, "recorder"));
    const wrapper = join(directory, "nvidia-container-runtime");
    symlinkSync(build.path, wrapper);
    const config = join(directory, "config.toml");
    writeFileSync(config, `[nvidia-container-runtime]\nruntimes = ["${recorder.path}"]\n`);
    const bundle = join(directory, "bundle");
    mkdirSync(join(bundle, "rootfs"), { recursive: true });
    const spec = join(bundle, "config.json");
    const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", NVIDIA_CTK_CONFIG_FILE_PATH: config };
    const call = [
      "env",
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      wrapper,
      "create",
      "--bundle",
      bundle,
      "x",
    ];
    const hook = target.hooks[0] ?? [];
    target.makeBundle();
    const { pid, close } = await target.openContainer();
    const state = JSON.stringify({
      ociVersion: "1.0.2",
      id: "x",
      status: "created",
      pid,
      bundle,
      annotations: { a: "b" },
    });
    const run = (command: readonly string[], input = "") =>
      target.jetson.place.run(command, { input, timeout: LIMITS.hung });
    return {
      trial(seed) {
        const random = new Random(seed);
        const text = mutateText(SPEC, random, WORDS);
        writeFileSync(spec, text);
        const given = readFileSync(spec, "utf8");
        const faults = wrapperFaults(run(call), given, readFileSync(spec, "utf8"));
        writeFileSync(spec, random.chance(0.5) ? SPEC : text);
        const input = random.chance(0.7)
          ? mutateText(state, random, [...WORDS, "1", `${process.pid}`])
          : state;
        faults.push(...endFaults(run(hook, input)).map((fault) => `hook: ${fault}`));
        return [...faults, ...target.hostFaults()];
      },
      close() {
        close();
        target.close();
        remove();
      },
    };
  },
};

function wrapperFaults(result: CommandResult, before: string, after: string): string[] {
  if (result.status !== STARTED) {
    const faults = endFaults(result);
    if (result.status === 0) faults.push("the wrapper did not start the runtime");
    return before === after ? faults : [...faults, "config.json was changed although it was refused"];
  }
  // The runtime judges an unedited text.
  if (before === after) return [];
  try {
    const [old, edited]: unknown[] = [JSON.parse(before), JSON.parse(after)];
    const numbers = before.match(/(?<![\w".+-])-?\d{16,}(?![\w".])/g) ?? [];
    const gone = numbers.filter((number) => !after.includes(number));
    return [...changes(old, edited, "config.json"), ...gone.map((number) => `the number ${number} is gone`)];
  } catch (error) {
    return [`config.json is not JSON before or after the edit: ${error}`];
  }
}

/** Returns what an edit removed or changed. It may add members and elements, and replace `null`. */
function changes(old: unknown, edited: unknown, path: string): string[] {
  if (old === null || Object.is(old, edited)) return [];
  if (Array.isArray(old) && Array.isArray(edited)) {
    const texts = edited.map((element) => JSON.stringify(element));
    return old
      .filter((element) => !texts.includes(JSON.stringify(element)))
      .map((element) => `${path} lost ${JSON.stringify(element)}`);
  }
  if (
    typeof old === "object" &&
    typeof edited === "object" &&
    edited !== null &&
    Array.isArray(old) === Array.isArray(edited)
  ) {
    const now = new Map(Object.entries(edited));
    return Object.entries(old).flatMap(([key, value]) =>
      now.has(key) ? changes(value, now.get(key), `${path}.${key}`) : [`${path} lost ${key}`],
    );
  }
  return [`${path} was ${JSON.stringify(old)} and is ${JSON.stringify(edited)}`];
}
