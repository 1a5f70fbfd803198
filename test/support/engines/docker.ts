import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PrivateNamespace } from "../../../fixtures/run/private-namespace.ts";
import { type CommandResult, mustRun } from "../../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../../fixtures/run/temporary-directory.ts";
import { removeCgroups } from "./remove-cgroups.ts";

/** A Docker daemon for a test, without networks. */
export interface Docker {
  /** Runs the docker program. */
  docker(...argv: string[]): CommandResult;
  /** Runs a container to its end and removes it. `options` come before the image. */
  run(image: string, command: readonly string[], options?: readonly string[]): CommandResult;
  /** Creates an image from a root file system. */
  importImage(name: string, rootfs: string): void;
  /** The docker command that a shell uses for this daemon. */
  readonly client: string;
  close(): Promise<void>;
}

/** The daemon's setup. */
interface DockerOptions {
  /** daemon.json: runtimes, default-runtime, features. */
  readonly config?: object;
  /** An existing daemon.json, as a path in the namespace; replaces `config`. */
  readonly configFile?: string;
  /** A directory put first in the daemon's PATH, where it looks for `nvidia-container-runtime-hook`. */
  readonly programs?: string;
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const START_MS = 20_000;

/**
 * Starts dockerd(8) in a namespace, usually a fake host's, with all its files in a temporary directory.
 *
 * @throws Error if it does not respond within 20 seconds.
 */
export async function startDocker(place: PrivateNamespace, options: DockerOptions = {}): Promise<Docker> {
  const { path: directory, remove } = temporaryDirectory("docker");
  const at = (name: string): string => join(directory, name);
  writeFileSync(at("daemon.json"), JSON.stringify(options.config ?? {}));
  mkdirSync(at("run"));
  // A container in a user namespace must be able to reach its root file system.
  chmodSync(directory, 0o711);
  const cgroup = `nvoci-test-docker-${process.pid}`;
  const flags = {
    "--data-root": at("data"),
    "--exec-root": at("run"),
    "--pidfile": at("pid"),
    "--host": `unix://${at("socket")}`,
    "--config-file": options.configFile ?? at("daemon.json"),
    "--cgroup-parent": `/${cgroup}`,
    "--iptables": "false",
    "--ip6tables": "false",
    "--bridge": "none",
  };
  const environment = {
    PATH: options.programs === undefined ? PATH : `${options.programs}:${PATH}`,
    HOME: directory,
  };
  const argv = Object.entries(flags).map(([name, value]) => `${name}=${value}`);
  const daemon = spawn("/usr/bin/nsenter", [`--mount=/proc/${place.pid}/ns/mnt`, "--", "dockerd", ...argv], {
    stdio: "ignore",
    env: environment,
  });
  const ended = new Promise((resolve) => daemon.once("close", resolve));
  // BuildKit has its own runtime and ignores the default one.
  const client = { ...environment, DOCKER_BUILDKIT: "0", DOCKER_HOST: `unix://${at("socket")}` };
  const docker = (...words: string[]) => place.run(["docker", ...words], { env: client });
  const close = async (): Promise<void> => {
    daemon.kill("SIGTERM");
    await ended;
    removeCgroups(cgroup);
    // The daemon's mounts stay busy until the namespace ends.
    place.run(["sh", "-c", `awk '$2 ~ "^${directory}/" {print $2}' /proc/mounts | tac | xargs -r umount -l`]);
    remove();
  };
  for (const limit = Date.now() + START_MS; docker("version").status !== 0; await sleep(100)) {
    if (Date.now() < limit && daemon.exitCode === null) continue;
    await close();
    throw new Error("Cannot start dockerd: it does not respond");
  }
  return {
    docker,
    client: `docker --host unix://${at("socket")}`,
    run: (image, command, extra = []) => docker("run", "--rm", "--network=none", ...extra, image, ...command),
    importImage: (name, rootfs) => {
      if (!existsSync(rootfs)) throw new Error(`Cannot import "${rootfs}": the directory does not exist`);
      const archive = at(`${name}.tar`);
      mustRun(["tar", "-C", rootfs, "-cf", archive, "."]);
      const { status, stderr } = docker("import", archive, name);
      if (status !== 0) throw new Error(`Cannot import "${rootfs}": ${stderr.trim()}`);
    },
    close,
  };
}
