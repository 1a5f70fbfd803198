import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, type BundleOptions, type HookEntry, makeBundle } from "../../../fixtures/bundle.ts";
import { runContainer } from "../../../fixtures/run/container.ts";
import type { CommandResult } from "../../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../../fixtures/run/temporary-directory.ts";
import type { Jetson } from "../host/jetson.ts";
import { type Recording, readRecording, recordedHook } from "./recorded-hook.ts";

/** The outcome of one container with a recorded hook. */
interface Trial {
  readonly bundle: Bundle;
  /** The container's output and exit status. */
  readonly result: CommandResult;
  /** The watched files that exist in the container. */
  readonly files: readonly string[];
  /** The hook's output; `undefined` if it did not run. */
  readonly hook: Recording | undefined;
}

/** Differences between the trial's container and one that requests all GPUs at prestart. */
interface TrialOptions extends Omit<BundleOptions, "hooks"> {
  readonly stage?: keyof NonNullable<BundleOptions["hooks"]>;
  /** See `recordedHook`. */
  readonly filter?: string;
}

/** Containers with recorded hooks, for tests of the hook's input and output. */
export interface HookTrials {
  /** Runs a container with this command as its hook. */
  start(command: readonly string[], jetson: Jetson, options?: TrialOptions): Trial;
  /** Returns a new path. */
  path(name: string): string;
  /** Writes a file and returns its path. */
  file(name: string, text: string): string;
  /** Creates a bundle that is removed at the end. */
  bundle(options: BundleOptions): Bundle;
  /** Returns a recorded hook for the caller's own bundle, and a function that reads its recording. */
  recorded(
    command: readonly string[],
    filter?: string,
  ): { entry: HookEntry; read: () => Recording | undefined };
  /** Removes everything. */
  remove(): void;
}

/** @param watched absolute paths of files of the host; see `Trial.files`. */
export function hookTrials(watched: readonly string[]): HookTrials {
  const { path: directory, remove } = temporaryDirectory("trials");
  const bundles: Bundle[] = [];
  let count = 0;
  const path = (name: string): string => join(directory, `${++count}-${name}`);
  const bundle = (options: BundleOptions): Bundle => {
    const made = makeBundle(options);
    bundles.push(made);
    return made;
  };
  const recorded: HookTrials["recorded"] = (command, filter) => {
    const log = path("log");
    return { entry: recordedHook(command, log, filter), read: () => readRecording(log) };
  };
  return {
    path,
    bundle,
    recorded,
    file(name, text) {
      const file = path(name);
      writeFileSync(file, text);
      return file;
    },
    start(command, jetson, { stage = "prestart", filter, ...options } = {}) {
      const { entry, read } = recorded(command, filter);
      const made = bundle({ env: ["NVIDIA_VISIBLE_DEVICES=all"], ...options, hooks: { [stage]: [entry] } });
      const script = `for path in ${watched.join(" ")}; do [ ! -f $path ] || echo $path; done`;
      const result = runContainer(made, ["/bin/sh", "-c", script], jetson.place);
      const files = result.stdout.split("\n").filter((line) => line !== "");
      return { bundle: made, result, files, hook: read() };
    },
    remove() {
      for (const made of bundles) made.remove();
      remove();
    },
  };
}
