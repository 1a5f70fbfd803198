import { describeFault, findJsonFault } from "../../json/json-fault.ts";
import type { Command } from "../../model/check.ts";
import { attempt, NvociError } from "../../model/errors.ts";
import { isPlainObject, type PlainObject } from "../../model/object-reader.ts";
import { type HostPath, hostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import { decodeUtf8 } from "../../text/utf8.ts";
import type { HostFacts } from "./host-facts.ts";
import { findRunning, type RunningProgram } from "./processes.ts";
import { findProgram } from "./programs.ts";

/** Docker as it is installed here, and what it does. */
export interface Docker {
  readonly file: HostPath;
  /** Options of `nvoci configure docker`: the default runtime on boards, and a file that is not the default one. */
  readonly options: Command;
  /** The command that makes dockerd start again. */
  readonly restart: string;
  /** What its configuration file says, or why dockerd cannot read it. */
  readonly configured: PlainObject | { readonly fault: string };
  /** `undefined` when dockerd is not running. */
  readonly running: RunningProgram | undefined;
  /** Its answer to `GET /info`: what it does, whatever the file says now. `undefined` when it does not answer. */
  readonly info: PlainObject | undefined;
}

const USUAL = hostPath("/etc/docker/daemon.json");
const SNAP = hostPath("/var/snap/docker/current/config/daemon.json");

/** Returns the value of an option of a command line: `--name=value` or `--name value`. */
function optionOf(words: readonly string[], ...names: readonly string[]): string | undefined {
  for (const [index, word] of words.entries()) {
    for (const name of names) {
      if (word === name) return words[index + 1];
      if (word.startsWith(`${name}=`)) return word.slice(name.length + 1);
    }
  }
  return undefined;
}

const variable = (environ: readonly string[], name: string): string | undefined =>
  environ.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);

/** Returns the configuration file of a rootless dockerd, if the user's client is set to one. */
function rootlessFile(environ: readonly string[]): HostPath | undefined {
  const isRootless = variable(environ, "DOCKER_HOST")?.startsWith("unix:///run/user/") === true;
  const home = variable(environ, "XDG_CONFIG_HOME") ?? `${variable(environ, "HOME") ?? ""}/.config`;
  return isRootless ? hostPath(`${home}/docker/daemon.json`) : undefined;
}

/**
 * Reads how Docker is configured, and asks the running daemon. Returns `undefined` where Docker is not installed.
 *
 * @see dockerd(8), and "Get system information" of Docker's Engine API
 */
export function readDocker(facts: HostFacts): Docker | undefined {
  const { host, environ, ask, report } = facts;
  const running = findRunning(host, "dockerd");
  const words = running?.arguments ?? [];
  const named = optionOf(words, "--config-file");
  const isSnap = words[0]?.startsWith("/snap/") === true || host.lstat(SNAP) !== undefined;
  const rootless = rootlessFile(environ);
  const isInstalled = findProgram(host, "dockerd") !== undefined || host.lstat(USUAL) !== undefined;
  if (running === undefined && !isInstalled && !isSnap && rootless === undefined) return undefined;

  const file = rootless ?? (named?.startsWith("/") ? hostPath(named) : isSnap ? SNAP : USUAL);
  const answer = (running ?? rootless) && ask(socketOf(words, environ, rootless !== undefined), "/info");
  return {
    file,
    options: [
      ...(report.platform.kind === "tegra" ? ["--default"] : []),
      ...(file === USUAL ? [] : ["--config", file]),
    ],
    restart: rootless
      ? "systemctl --user restart docker"
      : isSnap
        ? "snap restart docker"
        : "systemctl restart docker",
    configured: readDaemonFile(facts, file),
    running,
    info: isPlainObject(answer) ? answer : undefined,
  };
}

function socketOf(words: readonly string[], environ: readonly string[], isRootless: boolean): string {
  const given = isRootless ? variable(environ, "DOCKER_HOST") : optionOf(words, "-H", "--host");
  return given?.startsWith("unix://") ? given.slice("unix://".length) : "/run/docker.sock";
}

/** Returns the socket of the dockerd that this user talks to, running or not. */
export const dockerSocket = (host: HostView, environ: readonly string[]): string =>
  socketOf(findRunning(host, "dockerd")?.arguments ?? [], environ, rootlessFile(environ) !== undefined);

function readDaemonFile({ host }: HostFacts, file: HostPath): PlainObject | { readonly fault: string } {
  const bytes = attempt(() => host.readFile(file));
  if (bytes instanceof NvociError) return { fault: bytes.message };
  if (bytes === undefined) return {};
  const text = decodeUtf8(bytes);
  if (text === undefined) return { fault: "it is not UTF-8 text" };
  if (text.trim() === "") return {};
  const fault = findJsonFault(text);
  // Go's parser takes the last of two equal keys.
  if (fault !== undefined && fault.duplicate === undefined) return { fault: describeFault(text) ?? "" };
  const value: unknown = JSON.parse(text);
  return isPlainObject(value) ? value : { fault: "it is not a JSON object" };
}
