import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { PrivateNamespace } from "../../../fixtures/run/private-namespace.ts";
import { type CommandResult, runCommand } from "../../../fixtures/run/run-command.ts";
import { removeCgroups } from "./remove-cgroups.ts";

/** A systemd(1) for a test. */
export interface Systemd {
  /** Runs a command that systemctl(1) can be used in. */
  run(argv: readonly string[]): CommandResult;
  close(): Promise<void>;
}

const START_MS = 20_000;

/** Shell lines that move the shell into a new cgroup of every hierarchy. A cpuset must be filled first. */
const enterCgroups = (name: string): string => `
for at in $(awk '$3 ~ /^cgroup2?$/ {print $2}' /proc/self/mounts); do
  mkdir -p $at/${name}
  for file in cpuset.cpus cpuset.mems; do [ ! -e $at/$file ] || cat $at/$file >$at/${name}/$file; done
  echo $$ >$at/${name}/cgroup.procs
done`;

/**
 * Mounts the hierarchies again, so that they start at the entered cgroups, and starts systemd. Further
 * controllers are hidden from it: their hierarchies would appear for the whole machine and remain for a while.
 */
const BECOME_SYSTEMD = `
hierarchies=$(awk '$3 ~ /^cgroup2?$/ {print $2, $3, $4}' /proc/self/mounts)
umount -R /sys/fs/cgroup
case $hierarchies in "/sys/fs/cgroup cgroup2"*) ;; *) mount -t tmpfs tmpfs /sys/fs/cgroup ;; esac
echo "$hierarchies" | while read -r at type options; do
  case $type$options in
    cgroup2*) only= ;;
    *name=systemd*) only="-o none,name=systemd" ;;
    *) only="-o $(basename $at)" ;;
  esac
  mkdir -p $at
  mount -t $type $only $type $at
done
for at in /run /etc/systemd /lib/systemd/system-generators; do mount -t tmpfs tmpfs $at; done
awk 'NR == 1 || $2 != 0' /proc/cgroups >/run/cgroups
mount --bind /run/cgroups /proc/cgroups
mkdir -p /run/systemd/system
printf '[Unit]\\nDefaultDependencies=no\\n' >/run/systemd/system/bare.target
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=bare.target --log-target=null --show-status=no`;

/**
 * Starts a separate systemd(1) without services as the first process of a pid namespace. It manages the cgroups
 * below one of its own.
 *
 * @param place the namespace whose mounts and hierarchies it sees.
 * @throws Error if it does not respond within 20 seconds.
 */
export async function openSystemd(place: PrivateNamespace): Promise<Systemd> {
  const cgroup = `nvoci-test-systemd-${process.pid}`;
  const flags = [
    "--cgroup",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount",
    "--uts",
    "--ipc",
    "--net",
    "--mount-proc",
  ];
  const script = `set -e\n${enterCgroups(cgroup)}\nexec unshare ${flags.join(" ")} sh -ec "$0"`;
  const enter = ["--pdeathsig", "KILL", "nsenter", `--mount=/proc/${place.pid}/ns/mnt`, "--"];
  const keeper = spawn("setpriv", [...enter, "sh", "-c", script, BECOME_SYSTEMD], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  keeper.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const ended = new Promise((resolve) => keeper.once("close", resolve));
  /** systemd as other processes see it: the only child of the process that created its namespaces. */
  const child = (): number =>
    Number(readFileSync(`/proc/${keeper.pid}/task/${keeper.pid}/children`, "utf8").split(" ")[0]);
  const inside = (pid: number, argv: readonly string[]): string[] => [
    ...["nsenter", "--target", `${pid}`, "--mount", "--pid", "--cgroup", "--"],
    ...argv,
  ];
  const isRunning = (): boolean => {
    const pid = child();
    return pid > 0 && runCommand(inside(pid, ["systemctl", "is-system-running"])).stdout.trim() === "running";
  };
  for (const limit = Date.now() + START_MS; keeper.exitCode === null && !isRunning(); await sleep(100)) {
    if (Date.now() < limit) continue;
    keeper.kill("SIGKILL");
  }
  if (keeper.exitCode !== null || keeper.killed) throw new Error(`Cannot start systemd: ${errors.trim()}`);
  const pid = child();
  return {
    run: (argv) => runCommand(inside(pid, argv)),
    close: async () => {
      keeper.kill("SIGKILL");
      await ended;
      // The last process of the namespace ends a moment later.
      for (let tries = 0; existsSync(`/proc/${pid}`) && tries < 50; tries++) await sleep(100);
      removeCgroups(cgroup);
    },
  };
}
