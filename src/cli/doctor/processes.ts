import { attempt, NvociError } from "../../model/errors.ts";
import { type HostPath, hostPath } from "../../model/paths.ts";
import { type HostView, readText, statThrough } from "../../model/views.ts";

/** A running program. */
export interface RunningProgram {
  readonly pid: number;
  /** When it was started, in seconds since 1970, rounded to hundredths. */
  readonly started: number;
  readonly arguments: readonly string[];
  /** Its PATH; `undefined` if it has none, or this process may not read it. */
  readonly path: string | undefined;
}

/** USER_HZ: the unit of times in /proc, the same on every machine that nvoci runs on. */
const TICKS_PER_SECOND = 100;

/** A process that ends while its files are read, or belongs to another user, has none. */
function textOf(host: HostView, path: string): string | undefined {
  const text = attempt(() => readText(host, hostPath(path)));
  return text instanceof NvociError ? undefined : text;
}

/** Returns the pids of all processes that this one can see, ascending. */
export const pids = (host: HostView): readonly number[] =>
  (host.readDirectory(hostPath("/proc")) ?? [])
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);

/**
 * Finds a running program by its name, the one with the lowest pid. Ignores programs in other mount namespaces, because
 * they have other files than this host: those of a container, or of another host on the same kernel. Ignores programs of
 * other users than root and the caller: anyone can give a program any name and arguments, and root acts on these.
 *
 * @see proc_pid_stat(5)
 */
export function findRunning(host: HostView, name: string): RunningProgram | undefined {
  const own = namespaceOf(host, "self");
  const trusted = [0, userOf(host, "self")];
  const pid = pids(host).find(
    (one) =>
      textOf(host, `/proc/${one}/comm`)?.trim() === name &&
      trusted.includes(userOf(host, one)) &&
      (namespaceOf(host, one) === own || isSnap(host, one)),
  );
  if (pid === undefined) return undefined;
  const stat = textOf(host, `/proc/${pid}/stat`) ?? "";
  // The name, in parentheses, can contain anything; the start time is the 22nd field, the 20th after the name.
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  const boot = Number(/^btime (\d+)$/m.exec(textOf(host, "/proc/stat") ?? "")?.[1]);
  const strings = (file: string): readonly string[] =>
    (textOf(host, `/proc/${pid}/${file}`) ?? "").split("\0");
  return {
    pid,
    started: boot + ticks / TICKS_PER_SECOND,
    arguments: strings("cmdline").filter((text) => text !== ""),
    path: strings("environ")
      .find((variable) => variable.startsWith("PATH="))
      ?.slice("PATH=".length),
  };
}

/** In seconds. The kernel reports when it was started in whole seconds, and counts processes' times from there. */
const CLOCK_ERROR_S = 2;

/** Reports whether something has happened since a program was started. */
export const isSince = ({ started }: RunningProgram, seconds: number): boolean =>
  seconds > started + CLOCK_ERROR_S;

function linkOf(host: HostView, path: string): string | undefined {
  const text = attempt(() => host.readLink(hostPath(path) as HostPath));
  return text instanceof NvociError ? undefined : text;
}

const namespaceOf = (host: HostView, pid: number | "self"): string | undefined =>
  linkOf(host, `/proc/${pid}/ns/mnt`);

/** The effective user of a process owns its directory. `/proc/self` is a link. @see proc(5) */
function userOf(host: HostView, pid: number | "self"): number | undefined {
  const stat = attempt(() => statThrough(host, hostPath(`/proc/${pid}`)));
  return stat instanceof NvociError ? undefined : stat?.uid;
}

/** A program of a snap has a mount namespace of its own, and is the host's nevertheless. */
const isSnap = (host: HostView, pid: number): boolean =>
  linkOf(host, `/proc/${pid}/exe`)?.startsWith("/snap/") === true;
