import type { Config } from "../../config/config.ts";
import type { Command } from "../../model/check.ts";
import { DRIVER_CAPABILITIES } from "../../model/driver-capability.ts";
import { attempt, NvociError } from "../../model/errors.ts";
import type { Finding, Source } from "../../model/finding.ts";
import type { Machine } from "../../model/machine.ts";
import { basename, type HostPath } from "../../model/paths.ts";
import { type Verdict, verdict } from "../../model/verdict.ts";
import type { HostView } from "../../model/views.ts";
import { parseEnvironment } from "../../request/environment.ts";
import { quote } from "../../text/quote.ts";
import { libraryFault } from "../doctor/check-library.ts";
import { nearMissOf } from "../doctor/near-miss.ts";
import { reinstall } from "../doctor/packages.ts";
import type { Decision } from "../imaginary-container.ts";
import { findGiving, isNamed, stemOf } from "./match-name.ts";
import { searchHost } from "./search-host.ts";

/** What a question is answered from. */
export interface Question {
  readonly host: HostView;
  readonly machine: Machine;
  readonly config: Config;
  /** Whether the driver is found by manifests. */
  readonly usesManifests: boolean;
  /** Version of a server's driver. */
  readonly version: string | undefined;
  /** A path, or the name of a library. */
  readonly name: string;
  /** The container's variables. */
  readonly env: readonly string[];
  /** Plans for the container with more variables. */
  readonly decide: (more: readonly string[]) => Decision;
}

const variable = (env: readonly string[], name: string): string | undefined =>
  parseEnvironment(env).get(name);

/** Decides why a container has what was asked for, or has not. Reads the host, and changes nothing. */
export function findVerdict(question: Question): { readonly verdict: Verdict; readonly decision?: Decision } {
  const { env, decide } = question;
  const decision = attempt(() => decide([]));
  if (decision instanceof NvociError) {
    return { verdict: verdict("refused", { message: decision.message, hint: decision.hint }) };
  }
  if (!decision.asks) return { verdict: verdict("not-requested", { nearMiss: nearMissOf(env) }) };
  const found =
    ofGiven(question, decision) ??
    ofFindings(question, decision.findings) ??
    ofCapability(question) ??
    ofGpu(question) ??
    ofManifest(question) ??
    ofHost(question);
  return { verdict: found, decision };
}

function ofGiven({ host, machine, name }: Question, { operations }: Decision): Verdict | undefined {
  const found = findGiving(host, operations, name);
  if (found === undefined) return undefined;
  const { path, operation, isInside } = found;
  const { source } = operation;
  if (isInside && operation.op === "bind-directory") {
    return verdict("given-inside", { path, from: operation.hostPath, source });
  }
  if (operation.op === "make-link") return verdict("given", { path, from: undefined, source });
  const from = operation.hostPath;
  const isLibrary = operation.op === "bind-file" && basename(from).includes(".so");
  return (
    (isLibrary ? ofFault(host, machine, from, source) : undefined) ?? verdict("given", { path, from, source })
  );
}

function ofFault(host: HostView, machine: Machine, path: HostPath, source: Source): Verdict | undefined {
  const fault = libraryFault(host, path, machine);
  if (fault === undefined) return undefined;
  return fault === "empty"
    ? verdict("empty", { path, source })
    : verdict("damaged", { path, source, reason: fault.damage });
}

/** Reports whether the container would get the name with more variables. */
function isGivenWith({ host, name, decide }: Question, more: readonly string[]): boolean {
  const other = attempt(() => decide(more));
  return !(other instanceof NvociError) && findGiving(host, other.operations, name) !== undefined;
}

/** Tries each capability of the driver: the plan itself knows which one includes the file. */
function ofCapability(question: Question): Verdict | undefined {
  const including = DRIVER_CAPABILITIES.filter((one) =>
    isGivenWith(question, [`NVIDIA_DRIVER_CAPABILITIES=${one}`]),
  );
  if (including.length === 0) return undefined;
  const requested = variable(question.env, "NVIDIA_DRIVER_CAPABILITIES") || "compute,utility";
  const nearMiss = nearMissOf(question.env, ["NVIDIA_DRIVER_CAPABILITIES"]);
  return verdict("capability-missing", { requested, including, nearMiss });
}

function ofGpu(question: Question): Verdict | undefined {
  const visible = variable(question.env, "NVIDIA_VISIBLE_DEVICES") ?? "";
  return isGivenWith(question, ["NVIDIA_VISIBLE_DEVICES=all"])
    ? verdict("gpu-not-requested", { visible })
    : undefined;
}

/** Reads all manifests, as an image or config.toml can request. */
function ofManifest({ host, name, decide, usesManifests }: Question): Verdict | undefined {
  const all = usesManifests ? attempt(() => decide(["NVIDIA_REQUIRE_JETPACK=csv-mounts=all"])) : undefined;
  if (all === undefined || all instanceof NvociError) return undefined;
  const found = findGiving(host, all.operations, name);
  return found && verdict("manifest-unread", { source: found.operation.source });
}

/** A finding about an entry or a library of that name says why it was left out. */
function ofFindings(question: Question, findings: readonly Finding[]): Verdict | undefined {
  for (const finding of findings) {
    const found = ofFinding(question, finding);
    if (found !== undefined) return found;
  }
  return undefined;
}

function ofFinding(question: Question, { code, args, source }: Finding): Verdict | undefined {
  const { host, name, version } = question;
  const install = (): Command | undefined =>
    name.startsWith("/dev/") ? undefined : reinstall(host, partOf(name), version);
  const isLibrary = (other: string): boolean => isNamed(other, name) || stemOf(other) === stemOf(name);
  switch (code) {
    case "entry-missing":
      return isNamed(args.path, name)
        ? verdict("host-lacks", { path: args.path, source, install: install() })
        : undefined;
    case "entry-dangling":
      return isNamed(args.path, name)
        ? verdict("host-lacks", { path: args.target, source, install: install() })
        : undefined;
    case "driver-library-other-version":
      return isLibrary(args.name)
        ? verdict("other-version", { path: args.path, version: args.version })
        : undefined;
    case "driver-library-missing":
      return isLibrary(args.name)
        ? (ofFile(question, `${args.name}.${version}`) ??
            verdict("host-lacks", { path: name, source: undefined, install: install() }))
        : undefined;
    default:
      return undefined;
  }
}

/** A file of the driver that ld.so.cache does not list is damaged, or newer than the cache. */
function ofFile({ host, machine }: Question, file: string): Verdict | undefined {
  const path = searchHost(host, machine, file);
  if (path === undefined) return undefined;
  return ofFault(host, machine, path, "the driver") ?? verdict("uncached", { path });
}

/** The package of a library that no container can do without; everything else of a board is in the core package. */
const partOf = (name: string): "cuda" | "utility" | "core" =>
  name.includes("libcuda.so") ? "cuda" : name.includes("libnvidia-ml.so") ? "utility" : "core";

/** The host has it without the driver or a manifest knowing it, or does not have it. */
function ofHost({ host, machine, config, usesManifests, name }: Question): Verdict {
  const path = searchHost(host, machine, name);
  if (path === undefined) return verdict("host-lacks", { path: name, source: undefined, install: undefined });
  if (!usesManifests) {
    const directory = path.slice(0, path.lastIndexOf("/"));
    return verdict("unlisted", {
      path,
      line: `directories = [{ host = ${quote(directory, 4096)}, container = ${quote(directory, 4096)} }]`,
      file: "the table [nvoci] of /etc/nvidia-container-runtime/config.toml",
    });
  }
  const type = host.lstat(path)?.type;
  const kind = type === "directory" ? "dir" : type === "symlink" ? "sym" : type === "file" ? "lib" : "dev";
  const { mountSpecPath } = config.nvidiaContainerRuntime.modes.csv;
  return verdict("unlisted", { path, line: `${kind}, ${path}`, file: `${mountSpecPath}/drivers.csv` });
}
