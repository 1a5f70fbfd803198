import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileC } from "../fixtures/run/compile-c.ts";
import { openNamespace, type PrivateNamespace } from "../fixtures/run/private-namespace.ts";
import { type CommandResult, mustRun } from "../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../fixtures/run/temporary-directory.ts";
import type { Build } from "../test/support/build/builds.ts";
import { type Jetson, openJetson } from "../test/support/host/jetson.ts";
import { snapshotMounts, snapshotTree } from "../test/support/host/snapshot.ts";
import { MISSING_BEFORE, withoutCalls } from "../test/support/kernel/enosys.ts";
import { makeCanary, makeImage } from "./made-image.ts";

/** Limits of a run: seconds of processor time, KiB of memory, milliseconds until it counts as hung. */
export const LIMITS = { seconds: 2, memory: 64 << 10, hung: 20_000 } as const;

/** The status of timeout(1). */
const HUNG = 124;

/** A fake Jetson, an image without programs, and a directory of the host that must not change. */
export interface Target {
  readonly jetson: Jetson;
  /** A directory of the host with files named like the driver's. */
  readonly canary: string;
  /** Command lines of the hook: with this kernel's calls, and with those of Linux 4.9. */
  readonly hooks: readonly (readonly string[])[];
  /** Makes a bundle with a new copy of the image. Removes the previous one. */
  makeBundle(env?: readonly string[]): { readonly directory: string; readonly rootfs: string };
  /** Opens a container of the latest bundle, in the state in which a runtime calls prestart hooks. */
  openContainer(setup?: readonly string[]): Promise<TargetContainer>;
  /** Returns what has changed on the host since the target was opened. */
  hostFaults(): string[];
  close(): void;
}

/** A container without a runtime. */
interface TargetContainer {
  readonly pid: number;
  /** The bundle's root as the container sees it. */
  readonly root: string;
  run(command: readonly string[]): CommandResult;
  /** The root's tree and the mount table. */
  snapshot(): readonly string[];
  close(): void;
}

/**
 * Opens a target.
 *
 * @param image changes the image that bundles copy.
 */
export async function openTarget(build: Build, image: (rootfs: string) => void = () => {}): Promise<Target> {
  const { path: directory, remove } = temporaryDirectory("attack");
  const [canary, template, bundle] = ["canary", "image", "bundle"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const config = join(directory, "config.toml");
  writeFileSync(config, "[nvidia-container-cli]\nno-cgroups = true\n");
  makeCanary(canary);
  makeImage(template);
  image(template);
  const jetson = await openJetson();
  const { place } = jetson;
  const hook = [build.path, "hook", "-config", config, "prestart"];
  const [files, mounts] = [snapshotTree(canary), snapshotMounts(place.pid)];
  return {
    jetson,
    canary,
    hooks: [hook, withoutCalls(MISSING_BEFORE["4.9"], hook)],
    makeBundle(env = []) {
      rmSync(bundle, { recursive: true, force: true });
      mkdirSync(bundle);
      const rootfs = join(bundle, "rootfs");
      mustRun(["cp", "-a", template, rootfs]);
      const spec = { process: { env: ["NVIDIA_VISIBLE_DEVICES=all", ...env] }, root: { path: "rootfs" } };
      writeFileSync(join(bundle, "config.json"), JSON.stringify({ ociVersion: "1.0.2", ...spec }));
      return { directory: bundle, rootfs };
    },
    openContainer: (setup) => openContainer(bundle, place, setup),
    hostFaults: () => [
      ...difference("canary", files, snapshotTree(canary)),
      ...difference("mounts of the host", mounts, snapshotMounts(place.pid)),
      ...jetson.host.changes().map((path) => `host: "${path}" changed`),
    ],
    close() {
      jetson.close();
      remove();
    },
  };
}

async function openContainer(
  directory: string,
  place: PrivateNamespace,
  setup: readonly string[] = [],
): Promise<TargetContainer> {
  const rootfs = join(directory, "rootfs");
  const keeper = await openNamespace(
    [
      `mount --bind ${rootfs} ${rootfs}`,
      `mount -t tmpfs -o mode=755 tmpfs ${rootfs}/dev`,
      `mount -t proc proc ${rootfs}/proc`,
      ...setup,
    ],
    place,
  );
  const input = JSON.stringify({ ociVersion: "1.0.2", id: "attacked", pid: keeper.pid, bundle: directory });
  const root = join(`/proc/${keeper.pid}/root`, rootfs);
  return {
    pid: keeper.pid,
    root,
    run(command) {
      try {
        return place.run(command, { input, timeout: LIMITS.hung });
      } catch (error) {
        return { status: HUNG, stdout: "", stderr: `still running after ${LIMITS.hung} ms: ${error}` };
      }
    },
    snapshot: () => [...snapshotTree(root, ["/proc"]), ...snapshotMounts(keeper.pid)],
    close: keeper.close,
  };
}

/** The processor time and memory of a command. */
interface Usage {
  readonly milliseconds: number;
  readonly kib: number;
}

/** Runs a command that gets SIGXCPU a second after {@link LIMITS} allow, and measures what it uses. */
export function measured(
  run: (argv: readonly string[]) => CommandResult,
  command: readonly string[],
  file: string,
): CommandResult & Usage {
  const usage = compileC(join(import.meta.dirname, "../test/support/kernel/usage.c"));
  // One second more, so that the usage is measured.
  const limit = ["/usr/bin/prlimit", `--cpu=${LIMITS.seconds + 1}`];
  const result = run([usage, file, ...limit, ...command]);
  const [milliseconds = 0, kib = 0] = existsSync(file)
    ? readFileSync(file, "utf8").split(" ").map(Number)
    : [];
  return { ...result, milliseconds, kib };
}

/** Returns what is wrong with a hook's end. It must end with 0 and no output, or with 1 and one clear line. */
export function endFaults({ status, stdout, stderr }: CommandResult): string[] {
  if (stdout !== "") return [`standard output is not empty: ${stdout.slice(0, 200)}`];
  if (status === 0) return stderr === "" ? [] : [`status 0 with an error: ${stderr}`];
  if (status !== 1) return [`status ${status}: ${stderr.slice(0, 1000)}`];
  return /^nvoci: Cannot (?:continue|\S+ .+): \S.*[^.]\n/.test(stderr)
    ? []
    : [`the error does not have the form "Cannot …: …": ${stderr.slice(0, 1000)}`];
}

/** Returns which limits a command exceeded. The memory limit is only for the native program. */
export function usageFaults(build: Build, { milliseconds, kib }: Usage): string[] {
  const faults: string[] = [];
  if (milliseconds > LIMITS.seconds * 1000) faults.push(`used ${milliseconds} ms of processor time`);
  if (build.name === "native" && kib > LIMITS.memory) faults.push(`used ${kib} KiB of memory`);
  return faults;
}

/** Returns the lines by which two snapshots differ, after a label. */
export function difference(of: string, before: readonly string[], after: readonly string[]): string[] {
  const [old, now] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !now.has(line)).map((line) => `${of}: - ${line}`),
    ...after.filter((line) => !old.has(line)).map((line) => `${of}: + ${line}`),
  ];
}
