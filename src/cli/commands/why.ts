import type { Argv } from "yargs";
import { readDriverVersion } from "../../driver/driver-version.ts";
import { openImage } from "../../execute/rootfs/root-view.ts";
import { readSpec } from "../../hook/read-spec.ts";
import { EXIT, NvociError } from "../../model/errors.ts";
import { machineOf } from "../../model/machine.ts";
import { containerPath, type HostPath } from "../../model/paths.ts";
import { isGood, type Need, type Verdict, type VersionNeed } from "../../model/verdict.ts";
import type { Spec } from "../../oci/spec.ts";
import { renderNeeds, renderVerdict } from "../../render/render-verdict.ts";
import { quote } from "../../text/quote.ts";
import {
  absolutePath,
  type Choose,
  CONFIG_OPTION,
  type CommandContext,
  ENV_OPTION,
  JSON_OPTION,
  readVariables,
  textOption,
} from "../command.ts";
import { nearMissOf } from "../doctor/near-miss.ts";
import { findContainer } from "../doctor/running-container.ts";
import { imaginaryContainer } from "../imaginary-container.ts";
import { readHost } from "../read-host.ts";
import { findVerdict } from "../why/find-verdict.ts";
import { imageFirst } from "../why/image-first.ts";
import { compareNames, linkedLibraries } from "../why/linked-libraries.ts";

interface WhyArguments {
  readonly name: string;
  readonly container?: string | undefined;
  readonly bundle?: string | undefined;
  readonly rootfs?: string | undefined;
  readonly env?: readonly string[] | undefined;
  readonly program?: string | undefined;
  readonly config?: string | undefined;
  readonly json: boolean;
}

/** Adds `why`, which says why a container has a file or a device, or has not. */
export const addWhy = (yargs: Argv, choose: Choose): Argv =>
  yargs.command(
    "why <name>",
    "say why a container has a file or a device, or has not; exit status 1 if it has not",
    (command) =>
      command
        .positional("name", {
          type: "string",
          demandOption: true,
          describe: "a path, or the name of a library, such as libcuda.so.1",
        })
        .option(
          "container",
          textOption("container", "a running container: its id, its name in Docker, or a pid"),
        )
        .option("bundle", textOption("bundle", "directory with the container's config.json"))
        .option("rootfs", textOption("rootfs", "root directory of the container"))
        .option("env", ENV_OPTION)
        .option("program", textOption("program", "a program in the container, whose RPATH counts"))
        .option("json", JSON_OPTION)
        .option("config", CONFIG_OPTION)
        .conflicts("container", ["bundle", "rootfs", "env"])
        .conflicts("bundle", "env"),
    (args) => choose((context) => runWhy(context, args)),
  );

/** The container that the question is about. */
interface Subject {
  readonly spec: Spec;
  readonly root: HostPath | undefined;
}

function findSubject(context: CommandContext, args: WhyArguments): Subject {
  const { host } = context;
  if (args.container !== undefined) return findContainer(context, args.container);
  const root = args.rootfs === undefined ? undefined : absolutePath(host, args.rootfs);
  if (args.bundle !== undefined) {
    const spec = readSpec(host, absolutePath(host, args.bundle))?.spec ?? {
      ...imaginaryContainer(),
      env: [],
    };
    return { spec, root: root ?? spec.root.path };
  }
  const env = readVariables(args.env);
  const isRequest =
    env.some((entry) => entry.startsWith("NVIDIA_VISIBLE_DEVICES=")) ||
    nearMissOf(env, ["NVIDIA_VISIBLE_DEVICES"]) !== undefined;
  return {
    spec: { ...imaginaryContainer(), env: [...(isRequest ? [] : ["NVIDIA_VISIBLE_DEVICES=all"]), ...env] },
    root,
  };
}

function runWhy(context: CommandContext, args: WhyArguments): number {
  const { host, system, print } = context;
  const { name, config, json } = args;
  if (name === "" || (name.includes("/") && !name.startsWith("/"))) {
    throw new NvociError(
      "usage",
      `Cannot look for ${quote(name)}: give an absolute path, or a name without a slash`,
    );
  }
  const { spec, root } = findSubject(context, args);
  const { usesManifests, loaded } = readHost(context, config);
  const machine = machineOf(system.arch);
  const env = spec.env;
  const { verdict: first, decision } = findVerdict({
    host,
    machine,
    config: loaded.config,
    usesManifests,
    version: readDriverVersion(host),
    name: name.startsWith("/") ? containerPath(name) : name,
    env,
    decide: (more) => context.decide({ ...spec, env: withVariables(env, more) }, root, config),
  });
  const operations = decision?.operations ?? [];
  const process = args.container === undefined ? undefined : root?.replace(/\/root$/, "");
  const image = root === undefined ? undefined : openImage(system, root, process);
  const library = first.code === "given" && first.args.from !== undefined && first.args.path.includes(".so");
  const program = args.program === undefined ? undefined : containerPath(args.program);
  const found: Verdict =
    (library &&
      image !== undefined &&
      imageFirst({ image, env, operations, program }, first.args.path, name)) ||
    first;
  const { needs, versions } = library
    ? linkedLibraries({ host, machine, operations, image }, first.args.from as HostPath)
    : { needs: [], versions: [] };
  const isWell = isGood(found) && !isLacking(needs, versions);
  if (json) {
    const document = {
      schema: "nvoci/why/1",
      name,
      given: isWell,
      verdict: found.code,
      ...found.args,
      needs,
      versions,
    };
    print([JSON.stringify(document, null, 2)]);
  } else print([...renderVerdict(found), ...renderNeeds(needs, versions)]);
  return isWell ? EXIT.done : EXIT.failed;
}

/** Reports whether the image lacks what the library needs, so that programs cannot load it. */
const isLacking = (needs: readonly Need[], versions: readonly VersionNeed[]): boolean =>
  needs.some(({ from }) => from === "nowhere") ||
  versions.some(({ wanted, has }) => has !== undefined && (has === "none" || compareNames(has, wanted) < 0));

/** Returns an environment with some variables set to other values. */
function withVariables(env: readonly string[], more: readonly string[]): readonly string[] {
  const names = more.map((entry) => entry.slice(0, entry.indexOf("=") + 1));
  return [...env.filter((entry) => !names.some((name) => entry.startsWith(name))), ...more];
}
