/**
 * A container runtime of the smallest kind, for machines without runc: `node mini-runtime.cjs ADDON BUNDLE ID`. It knows
 * the part of config.json that the demo writes, has no cgroups, and leaves the container's capabilities alone.
 * Not for anything but the demo.
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import {
  AT_FDCWD,
  CLONE_NEWIPC,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUTS,
  MNT_DETACH,
  MS_BIND,
  MS_NOSUID,
  MS_PRIVATE,
  MS_REC,
  PR_SET_PDEATHSIG,
  S_IFCHR,
  SIGKILL,
} from "../src/sys/constants.ts";
import { errnoName } from "../src/sys/errno.ts";
import { linux } from "../src/sys/linux.ts";
import type { Primitives } from "../src/sys/primitives.ts";
import { StepList } from "../src/sys/step-list.ts";
import type { Syscalls } from "../src/sys/syscalls.ts";

interface Config {
  readonly process: { readonly args: readonly string[]; readonly env: readonly string[] };
  readonly hooks: {
    readonly prestart: readonly {
      readonly path: string;
      readonly args: string[];
      readonly env: readonly string[];
    }[];
  };
}

const NAMESPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;

/** Nodes that every container has: name, and major and minor as mknod(2) takes them. */
const NODES: readonly (readonly [name: string, device: number])[] = [
  ["null", (1 << 8) | 3],
  ["zero", (1 << 8) | 5],
];

/** fcntl(2)'s command that sets a descriptor's flags; none means that it stays open in the next program. */
const F_SETFD = 2;

type Pipe = ReturnType<Syscalls["pipe2"]>;

/** What the container's process does before it is the container's program. */
function containerSteps(
  system: Syscalls,
  rootfs: string,
  { args, env }: Config["process"],
  ready: Pipe,
  go: Pipe,
): StepList {
  const steps = new StepList(system).call("prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]).call("umask", [0]);
  // Node.js has marked its own standard input, output and error close-on-exec.
  for (const standard of [0, 1, 2]) steps.call("fcntl", [standard, F_SETFD, 0]);
  steps
    .call("mount", [null, "/", null, MS_REC | MS_PRIVATE, null])
    .call("mount", [rootfs, rootfs, null, MS_BIND | MS_REC, null])
    .call("mount", ["proc", `${rootfs}/proc`, "proc", MS_NOSUID, null])
    .call("mount", ["tmpfs", `${rootfs}/dev`, "tmpfs", MS_NOSUID, "mode=755"]);
  for (const [name, device] of NODES) {
    steps.call("mknodat", [AT_FDCWD, `${rootfs}/dev/${name}`, S_IFCHR | 0o666, device]);
  }
  const byte = new Uint8Array(1);
  return steps
    .call("umask", [0o022])
    .call("write", [ready.writer.number, byte, 1])
    .call("read", [go.reader.number, byte, 1])
    .call("chdir", [rootfs])
    .call("pivot_root", [".", "."])
    .call("umount2", [".", MNT_DETACH])
    .call("chdir", ["/"])
    .call("execve", [args[0] ?? "", steps.stringArray(args), steps.stringArray(env)]);
}

/** Runs the hooks as a runtime does: state on standard input, nothing in the environment but what the entry says. */
function runHooks(hooks: Config["hooks"]["prestart"], state: object): boolean {
  return hooks.every(({ path, args, env }) => {
    const { status } = spawnSync(path, args.slice(1), {
      argv0: args[0],
      env: Object.fromEntries(env.map((entry) => entry.split(/=(.*)/s).slice(0, 2))),
      input: JSON.stringify(state),
      stdio: ["pipe", "inherit", "inherit"],
    });
    return status === 0;
  });
}

/** Runs the container of a bundle to its end; gives its status, or 1 when it could not be started. */
function runContainer(system: Syscalls, [bundle = "", id = ""]: readonly string[]): number {
  const config = JSON.parse(readFileSync(`${bundle}/config.json`, "utf8")) as Config;
  const [ready, go, report] = [system.pipe2(), system.pipe2(), system.pipe2()];
  const steps = containerSteps(system, `${bundle}/rootfs`, config.process, ready, go);
  const pid = system.spawn(NAMESPACES, steps.encode(), report.writer);
  for (const pipe of [ready, report]) system.close(pipe.writer);

  const isReady = system.read(ready.reader, new Uint8Array(1)) === 1;
  const state = { ociVersion: "1.0.2", id, pid, status: "created", bundle };
  const mayStart = isReady && runHooks(config.hooks.prestart, state);
  if (mayStart) system.write(go.writer, new Uint8Array(1));
  else system.kill(pid, SIGKILL);

  const failure = new DataView(new ArrayBuffer(8));
  if (system.read(report.reader, new Uint8Array(failure.buffer)) === 8) {
    const [index, errno] = [failure.getInt32(0, true), failure.getInt32(4, true)];
    console.error(`Cannot start the container: ${steps.nameOf(index)}: ${errnoName(errno)}`);
  }
  const status = system.wait4(pid);
  return mayStart && status !== undefined && "exited" in status ? status.exited : 1;
}

const [addon = "", ...container] = process.argv.slice(2);
const native = { exports: {} as Primitives };
process.dlopen(native, addon);
process.exitCode = runContainer(linux(native.exports), container);
