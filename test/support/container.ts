import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bundle } from "./bundle.ts";
import type { PrivateNamespace } from "./private-namespace.ts";
import { type CommandResult, mustRun, runCommand } from "./run-command.ts";

/** Where runc(8) runs: on the real host, or in a namespace opened from a fake one. */
export type Place = PrivateNamespace | undefined;

let count = 0;

/**
 * Runs a command in a container to its end, hooks included, with the real runc(8).
 *
 * @param runtime another program to call in its place.
 * @returns the command's status; 1 and runc's own words on stderr when the container could not be started.
 */
export function runContainer(
  bundle: Bundle,
  command: readonly string[],
  place?: Place,
  runtime = "runc",
): CommandResult {
  const id = writeCommand(bundle, command);
  const result = inPlace(place, [...withRoot(bundle, runtime), "run", "--bundle", bundle.directory, id]);
  inPlace(place, [...withRoot(bundle, "runc"), "delete", "--force", id]);
  return result;
}

/**
 * Runs a script in a container and gives the lines that it says, on both its outputs.
 *
 * @param shell that the image has.
 * @throws Error with runc's own words: then nothing was started, or not to its end.
 */
export function scriptLines(
  bundle: Bundle,
  script: string,
  place?: Place,
  shell: readonly string[] = ["sh"],
): string[] {
  const { stdout, stderr } = runContainer(bundle, [...shell, "-c", `exec 2>&1; ${script}`], place);
  if (stderr !== "") throw new Error(`Cannot run "${script}": ${stderr}`);
  return stdout.trimEnd().split("\n");
}

/** A container whose hooks have run, before or after its start. */
export interface Container {
  readonly id: string;
  /** The container's first process, as the host sees it. */
  readonly pid: number;
  start(): void;
  /** Runs a further command in the started container. */
  exec(command: readonly string[]): CommandResult;
  /** Any other command of the runtime, the container's name last. */
  call(...words: string[]): CommandResult;
  /** What the container's first process wrote to both its outputs. */
  output(): string;
  delete(): void;
}

/**
 * Creates a container and lets it wait: prestart and createRuntime hooks have run then.
 *
 * @param command what `start` runs. Default: sleep.
 * @throws Error with runc's own words when creating fails.
 */
export function createContainer(
  bundle: Bundle,
  command: readonly string[] = ["sleep", "300"],
  place?: Place,
  runtime = "runc",
): Container {
  const id = writeCommand(bundle, command);
  const log = join(bundle.directory, `${id}.log`);
  const output = openSync(log, "w");
  // A container keeps its outputs open: a pipe would let us wait for it to end.
  const runc = withRoot(bundle, runtime);
  const create = [...runc, "create", "--bundle", bundle.directory, id];
  const [file = "", ...args] = nsenter(place, create);
  const { status } = spawnSync(file, args, { stdio: ["ignore", output, output] });
  closeSync(output);
  if (status !== 0) throw new Error(`Cannot create "${id}": ${readFileSync(log, "utf8")}`);
  const must = (...words: string[]) => mustRun(nsenter(place, [...runc, ...words]));
  return {
    id,
    pid: (JSON.parse(must("state", id)) as { pid: number }).pid,
    start: () => void must("start", id),
    exec: (argv) => inPlace(place, [...runc, "exec", id, ...argv]),
    call: (...words) => inPlace(place, [...runc, ...words, id]),
    output: () => readFileSync(log, "utf8"),
    delete: () => void must("delete", "--force", id),
  };
}

/**
 * Writes config.json for this command and a new container. A cgroup of its own at the top leaves no empty parent.
 *
 * @returns the container's id.
 */
export function writeCommand(bundle: Bundle, command: readonly string[]): string {
  const id = `nvoci-test-${process.pid}-${++count}`;
  const { process: init, linux } = bundle.config as Record<string, Record<string, unknown>>;
  const config = {
    ...bundle.config,
    process: { ...init, args: command },
    linux: { ...linux, cgroupsPath: `/${id}` },
  };
  writeFileSync(join(bundle.directory, "config.json"), JSON.stringify(config, null, 2));
  return id;
}

function withRoot(bundle: Bundle, runtime: string): string[] {
  const root = join(bundle.directory, "runc");
  mkdirSync(root, { recursive: true });
  return [runtime, "--root", root];
}

const nsenter = (place: Place, argv: readonly string[]): string[] =>
  place === undefined ? [...argv] : ["nsenter", `--mount=/proc/${place.pid}/ns/mnt`, "--", ...argv];

const inPlace = (place: Place, argv: readonly string[]): CommandResult => runCommand(nsenter(place, argv));
