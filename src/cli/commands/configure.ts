import type { Argv } from "yargs";
import { EXIT, NvociError } from "../../model/errors.ts";
import { dirname, type HostPath, hostPath, join } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import { replaceFile } from "../../sys/replace-file.ts";
import { CWD } from "../../sys/syscalls.ts";
import { quote } from "../../text/quote.ts";
import { decodeUtf8, encodeUtf8 } from "../../text/utf8.ts";
import { absolutePath, type Choose, type CommandContext, textOption } from "../command.ts";
import { containerd } from "../configure/containerd.ts";
import { docker } from "../configure/docker.ts";
import {
  applyChange,
  type ContainerEngine,
  type EngineFile,
  type FileChange,
  fileBehind,
  type Registration,
} from "../configure/engine-edit.ts";
import { crio, podman } from "../configure/podman.ts";
import { unifiedDiff } from "../configure/unified-diff.ts";
import { findProgram } from "../doctor/programs.ts";

const ENGINES: Readonly<Record<string, ContainerEngine>> = { docker, containerd, crio, podman };

const RUNTIME = "nvidia-container-runtime";

interface ConfigureArguments {
  readonly engine: string;
  // No default values: yargs would report them as a conflict.
  readonly default?: boolean | undefined;
  readonly remove?: boolean | undefined;
  readonly dryRun: boolean;
  readonly config?: string | undefined;
  readonly runtimePath?: string | undefined;
  readonly name?: string | undefined;
}

/** Adds `configure`, which registers the wrapper with a container engine, or removes the registration. */
export const addConfigure = (yargs: Argv, choose: Choose): Argv =>
  yargs.command(
    "configure <engine>",
    "register the runtime with a container engine",
    (command) =>
      command
        .positional("engine", {
          type: "string",
          choices: Object.keys(ENGINES),
          demandOption: true,
          describe: "the container engine",
        })
        .option("default", { type: "boolean", describe: "make it the default runtime" })
        .option("remove", { type: "boolean", describe: "remove the registration" })
        .option("dry-run", {
          type: "boolean",
          default: false,
          describe: "print the change without making it",
        })
        .option(
          "config",
          textOption("config", "the engine's configuration file to edit instead of the default one"),
        )
        .option("runtime-path", textOption("runtime-path", `the runtime's program; default: ${RUNTIME}`))
        .option("name", textOption("name", "the name to register the runtime under; default: nvidia"))
        .conflicts("remove", "default"),
    (args) => choose((context) => runConfigure(context, args)),
  );

/** Finds the wrapper. Its path is absolute, because engines search other directories for programs. */
function findWrapper({ host }: CommandContext, option: string | undefined): HostPath | undefined {
  if (option !== undefined) return findProgram(host, absolutePath(host, option));
  const self = host.realPath(hostPath("/proc/self/exe"));
  const beside = self === undefined ? undefined : findProgram(host, join(dirname(self), RUNTIME));
  return beside ?? findProgram(host, RUNTIME);
}

/** Returns the wrapper's path. To remove a registration, the program need not exist. */
function runtimePath(context: CommandContext, { runtimePath: option, remove }: ConfigureArguments): HostPath {
  const found = findWrapper(context, option);
  if (found !== undefined) return found;
  if (remove)
    return option === undefined ? hostPath(`/usr/bin/${RUNTIME}`) : absolutePath(context.host, option);
  throw new NvociError("runtime-missing", `Cannot find the program ${quote(option ?? RUNTIME, 4096)}`, {
    hint: `create a link named ${RUNTIME} to nvoci, or pass the program's path with --runtime-path`,
  });
}

function readText({ host }: CommandContext, path: HostPath): string | undefined {
  const bytes = host.readFile(path);
  const text = bytes && decodeUtf8(bytes);
  if (bytes === undefined || text !== undefined) return text;
  throw new NvociError("file-invalid", `Cannot edit ${quote(path, 4096)}: it is not UTF-8 text`);
}

/**
 * Returns the file without the registration. A file that has not changed since gets its original text, byte for
 * byte; in any other file only the registration is removed.
 */
function withoutUs(
  engine: ContainerEngine,
  file: EngineFile,
  registration: Registration,
  host: HostView,
): string | undefined {
  const { path, text, backup } = file;
  const before = { path, text: backup, backup: undefined };
  const isOurs = (isDefault: boolean): boolean =>
    engine.register(before, { ...registration, isDefault }, host) === text;
  const after = engine.unregister(file, registration);
  return backup !== undefined && after !== text && (isOurs(false) || isOurs(true)) ? backup : after;
}

/** Returns the changes to the engine's configuration and, if the engine runs hooks itself, to the hook file. */
function planChanges(
  context: CommandContext,
  args: ConfigureArguments,
  file: EngineFile,
  registration: Registration,
): readonly FileChange[] {
  const { host } = context;
  const engine = ENGINES[args.engine] as ContainerEngine;
  const { path } = registration;
  const after = args.remove
    ? withoutUs(engine, file, registration, host)
    : engine.register(file, registration, host);
  const hook = engine.hookFile?.(file.path, host.realPath(path) ?? path);
  const changes: FileChange[] = [{ path: file.path, before: file.text, after, hasOwnDirectory: false }];
  if (hook !== undefined) {
    const text = args.remove ? undefined : hook.text;
    const hookPath = fileBehind(host, hook.path);
    changes.push({
      path: hookPath,
      before: readText(context, hookPath),
      after: text,
      hasOwnDirectory: true,
    });
  }
  return changes.filter((change) => change.before !== change.after);
}

function runConfigure(context: CommandContext, args: ConfigureArguments): number {
  const { host, system, print } = context;
  const engine = ENGINES[args.engine] as ContainerEngine;
  const usual = () => engine.dropIn?.(host) ?? engine.file;
  const named = args.config === undefined ? usual() : absolutePath(host, args.config);
  const path = fileBehind(host, named);
  const backupPath = hostPath(`${path}.nvoci-backup`);
  const file = { path, text: readText(context, path), backup: readText(context, backupPath) };
  const registration = {
    name: args.name ?? "nvidia",
    path: runtimePath(context, args),
    isDefault: args.default === true,
  };
  const changes = planChanges(context, args, file, registration);
  if (changes.length === 0) {
    print([`${path}: nothing to change`]);
    return EXIT.done;
  }
  if (args.dryRun) {
    print(changes.flatMap((change) => unifiedDiff(change.path, change.before, change.after)));
    return EXIT.done;
  }
  // A file that an earlier registration changed is not the original.
  const isFirst = file.backup === undefined && engine.unregister(file, registration) === file.text;
  const keeps = engine.isShared && !args.remove && file.text !== undefined && isFirst;
  if (keeps) replaceFile(system, backupPath, encodeUtf8(file.text ?? ""), { synced: true });
  for (const change of changes) applyChange(system, host, change);
  if (args.remove && file.backup !== undefined) system.unlinkat(CWD, backupPath, 0);
  const kept = keeps ? `; the original is in ${backupPath}` : "";
  print([
    ...changes.map(
      ({ path: changed, after }) => `${changed}: ${after === undefined ? "removed" : "written"}${kept}`,
    ),
    ...(engine.reload === "" ? [] : [`To make ${engine.title} read it, run: ${engine.reload}`]),
  ]);
  return EXIT.done;
}
