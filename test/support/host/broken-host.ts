import type { TreeEntry } from "../../../fixtures/host/tree-entry.ts";
import { fileEntry } from "../../../fixtures/host/tree-entry.ts";
import type { PrivateNamespace } from "../../../fixtures/run/private-namespace.ts";
import type { CommandResult } from "../../../fixtures/run/run-command.ts";
import type { Build } from "../build/builds.ts";

/** A fault of a fake host that is well otherwise. */
export interface BrokenHost {
  readonly title: string;
  /** Shell lines that break it. */
  readonly breaks: string;
  /** The codes of the problems, in order: the cause first, and nothing that only follows from it. */
  readonly codes: readonly string[];
  /** The exit status of `nvoci doctor`. */
  readonly status: 0 | 1;
  /** The command that it names for the first problem. */
  readonly fix: string;
  /** Shell lines that stand in for the package manager or the editor that the command names. */
  readonly stands?: string;
}

/** Returns what an installation of nvoci adds to a host, registered with the engines that this machine has. */
export function installation(build: Build): readonly TreeEntry[] {
  const wrapper = "/usr/bin/nvidia-container-runtime";
  const daemon = { runtimes: { nvidia: { path: wrapper } }, "default-runtime": "nvidia" };
  const containers = `[engine.runtimes]\nnvidia = ["${wrapper}"]\n`;
  return [
    { kind: "link", path: "/usr/bin/nvoci", target: build.path },
    { kind: "link", path: wrapper, target: "nvoci" },
    { kind: "link", path: `${wrapper}-hook`, target: "nvoci" },
    fileEntry("/etc/docker/daemon.json", JSON.stringify(daemon, null, 2)),
    fileEntry("/etc/containers/containers.conf.d/99-nvoci.conf", containers),
  ];
}

/** What a doctor says with `--json`. */
export interface Diagnosis {
  readonly healthy: boolean;
  readonly status: number;
  /** The problems, in order. */
  readonly problems: readonly {
    readonly code: string;
    readonly status: string;
    readonly text: string;
    readonly fix?: string;
  }[];
}

/** Runs the doctor on a fake host, twice: as JSON, and as text, which must agree. */
export function diagnoseHost(place: PrivateNamespace, options: readonly string[] = []): Diagnosis {
  const { status, stdout, stderr } = doctor(place, ["--json", ...options]);
  if (stderr !== "") throw new Error(`Cannot run the doctor: ${stderr}`);
  const { healthy, checks } = JSON.parse(stdout) as { healthy: boolean; checks: Diagnosis["problems"] };
  return { healthy, status, problems: checks.filter((one) => one.status !== "ok") };
}

/** Runs `nvoci doctor` as an administrator does. */
export const doctor = (place: PrivateNamespace, words: readonly string[] = []): CommandResult =>
  place.run(["nvoci", "doctor", ...words], { env: { PATH: "/opt/stands:/usr/sbin:/usr/bin:/sbin:/bin" } });

/** Runs shell lines on the host. @throws Error with the shell's error if one fails. */
export function mustRunOn(place: PrivateNamespace, lines: string): void {
  const env = { PATH: "/opt/stands:/usr/sbin:/usr/bin:/sbin:/bin" };
  const { status, stderr, stdout } = place.run(["sh", "-ec", lines], { env });
  if (status !== 0) throw new Error(`Cannot run "${lines}": ${stderr}${stdout}`);
}
