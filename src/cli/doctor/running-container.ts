import { attempt, NvociError } from "../../model/errors.ts";
import { isPlainObject } from "../../model/object-reader.ts";
import { type HostPath, hostPath } from "../../model/paths.ts";
import { type HostView, readText } from "../../model/views.ts";
import type { Spec } from "../../oci/spec.ts";
import { shellWord } from "../../render/shell-command.ts";
import { quote } from "../../text/quote.ts";
import type { CommandContext } from "../command.ts";
import { imaginaryContainer } from "../imaginary-container.ts";
import { askService } from "./ask-service.ts";
import { dockerSocket } from "./docker-daemon.ts";
import { pids } from "./processes.ts";

/** A container that runs now. */
export interface RunningContainer {
  readonly pid: number;
  /** The container's root, as its first process sees it. */
  readonly root: HostPath;
  /** What it requests, as far as the process shows: its environment, and whether it is privileged. */
  readonly spec: Spec;
  /** Its mounts. */
  readonly mounts: string;
}

/** An id as engines write it, or the beginning of one. */
const HEX_ID = /^[0-9a-f]{4,64}$/;
/** Names of containers, without characters that mean something in an expression or a URL, but for the dot. */
const NAME = /^[A-Za-z0-9][\w.-]*$/;
const CAP_SYS_ADMIN = 21n;

/**
 * Finds a running container by a pid, by the beginning of its id, which every engine puts into the name of its cgroup,
 * or by its name in Docker.
 *
 * @throws {NvociError} "state-invalid" when there is none, or it belongs to the host.
 */
export function findContainer(context: CommandContext, name: string): RunningContainer {
  const { host } = context;
  const pid = byPid(host, name) ?? byCgroup(host, name) ?? byName(context, name);
  if (pid === undefined) {
    throw new NvociError(
      "state-invalid",
      `Cannot find the container ${quote(name)}: none runs with this id or name`,
      {
        hint: "give the id that docker ps, podman ps or crictl ps prints, or the pid of a process in the container",
      },
    );
  }
  const read = (file: string): string => {
    const text = attempt(() => readText(host, hostPath(`/proc/${pid}/${file}`)));
    if (typeof text === "string") return text;
    throw new NvociError("state-invalid", `Cannot look into the container ${quote(name)}: it needs root`, {
      hint: `run: sudo nvoci doctor --container ${shellWord(name)}`,
    });
  };
  const env = read("environ")
    .split("\0")
    .filter((variable) => variable !== "");
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(read("status"))?.[1] ?? "0"}`);
  const isPrivileged = ((bounding >> CAP_SYS_ADMIN) & 1n) === 1n;
  return {
    pid,
    root: hostPath(`/proc/${pid}/root`),
    spec: { ...imaginaryContainer(), env, boundingCapabilities: isPrivileged ? ["CAP_SYS_ADMIN"] : [] },
    mounts: read("mountinfo"),
  };
}

const byPid = (host: HostView, name: string): number | undefined =>
  /^[1-9]\d{0,9}$/.test(name) && host.lstat(hostPath(`/proc/${name}`)) !== undefined
    ? Number(name)
    : undefined;

function byCgroup(host: HostView, name: string): number | undefined {
  if (!NAME.test(name)) return undefined;
  const rest = HEX_ID.test(name) ? "[0-9a-f]*" : "";
  const isOf = new RegExp(`[/-]${name.replaceAll(".", "\\.")}${rest}(?:\\.scope)?$`, "m");
  const read = (pid: number | "self", file: string) => {
    const text = attempt(() => readText(host, hostPath(`/proc/${pid}/${file}`)));
    return typeof text === "string" ? text : "";
  };
  const namespaceOf = (pid: number | "self") => {
    const text = attempt(() => host.readLink(hostPath(`/proc/${pid}/ns/mnt`)));
    return typeof text === "string" ? text : "";
  };
  // A service of the host can have a cgroup of any name.
  const own = namespaceOf("self");
  return pids(host).find((pid) => isOf.test(read(pid, "cgroup")) && namespaceOf(pid) !== own);
}

function byName({ host, system, environ }: CommandContext, name: string): number | undefined {
  if (!NAME.test(name)) return undefined;
  const answer = askService(system, dockerSocket(host, environ), `/containers/${name}/json`);
  const state = isPlainObject(answer) ? answer.State : undefined;
  const pid = isPlainObject(state) ? state.Pid : undefined;
  return typeof pid === "number" && pid > 0 ? pid : undefined;
}
