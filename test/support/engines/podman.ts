import { join } from "node:path";
import type { PrivateNamespace } from "../../../fixtures/run/private-namespace.ts";
import type { CommandResult } from "../../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../../fixtures/run/temporary-directory.ts";
import { removeCgroups } from "./remove-cgroups.ts";

/** Options for a container of podman(1). */
export interface PodmanOptions {
  /** A directory with oci-hooks(5) files. */
  readonly hooks?: string;
  /** The low-level runtime: a name or an absolute path. Default `runc`. */
  readonly runtime?: string;
  /** A containers.conf(5) that is read last. */
  readonly config?: string;
  /** More options of `podman run`, such as `--env`. */
  readonly options?: readonly string[];
}

/** Runs a command to its end with podman(1) and runc(8) in a root file system, without a network. */
export function runPodman(
  place: PrivateNamespace,
  rootfs: string,
  command: readonly string[],
  options: PodmanOptions = {},
): CommandResult {
  const { path: directory, remove } = temporaryDirectory("podman");
  const cgroup = `nvoci-test-podman-${process.pid}`;
  const engine = [
    ...[
      "--root",
      join(directory, "root"),
      "--runroot",
      join(directory, "run"),
      "--tmpdir",
      join(directory, "tmp"),
    ],
    ...["--runtime", options.runtime ?? "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "none"],
    ...(options.hooks === undefined ? [] : ["--hooks-dir", options.hooks]),
  ];
  // podman's own limits exceed what an unprivileged parent may pass on, and the pids controller may exist only in
  // cgroup v1.
  const limits = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024", "--pids-limit=0"];
  const run = [
    "run",
    "--rm",
    "--network=none",
    `--cgroup-parent=/${cgroup}`,
    ...limits,
    ...(options.options ?? []),
  ];
  try {
    const env = options.config === undefined ? [] : ["env", `CONTAINERS_CONF=${options.config}`];
    return place.run([...env, "podman", ...engine, ...run, "--rootfs", rootfs, ...command]);
  } finally {
    removeCgroups(cgroup);
    removeCgroups("libpod_parent");
    place.run(["umount", "-l", join(directory, "root/overlay")]);
    remove();
  }
}
