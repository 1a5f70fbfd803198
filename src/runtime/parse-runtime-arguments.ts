/**
 * Options of low-level runtimes that have a value, in the next argument or after `=`. Every other option is a switch.
 * One dash or two mean the same, as in runc.
 *
 * @see runc(8), runc-create(8), runc-run(8), crun(1)
 */
const RUNTIME_OPTIONS = {
  /** Before the command. */
  global: ["log", "log-format", "root", "criu", "rootless", "cgroup-manager"],
  /** After `create` and `run`. */
  command: ["bundle", "b", "config", "f", "console-socket", "pid-file", "preserve-fds"],
} as const;

/** Options that make a runtime print information instead of running the command. */
const INFORMATION_OPTIONS: readonly string[] = ["help", "h", "?", "usage", "version", "v", "V"];

/** Commands that create a container from a bundle. */
const CREATING_COMMANDS: readonly string[] = ["create", "run"];

/** The parts of a low-level runtime's command line that nvoci needs. */
export interface RuntimeArguments {
  /** Whether the command creates a container. nvoci passes all other commands on. */
  readonly creates: boolean;
  /** As given. Default: the current directory. */
  readonly bundle: string | undefined;
  /** crun's option for a file other than the bundle's config.json. */
  readonly config: string | undefined;
  /** The container's id, or empty when there is none. */
  readonly id: string;
  /** The runtime's log file, in which container engines look for errors. */
  readonly log: string | undefined;
  readonly logFormat: string | undefined;
  /** Whether systemd manages the container's cgroup. */
  readonly systemdCgroup: boolean;
}

interface Options {
  readonly values: ReadonlyMap<string, string>;
  /** Names of the switches that are on. */
  readonly switches: ReadonlySet<string>;
  readonly informs: boolean;
}

/** Reads options up to the first non-option, or all of them, collecting the rest. */
function readOptions(args: readonly string[], withValue: readonly string[], toTheEnd: boolean) {
  const values = new Map<string, string>();
  const switches = new Set<string>();
  const others: string[] = [];
  let informs = false;
  let at = 0;
  for (; at < args.length; at++) {
    const argument = args[at] as string;
    const [, name, , value] = /^--?([^=-][^=]*)(=(.*))?$/s.exec(argument) ?? [];
    if (name !== undefined) {
      if (INFORMATION_OPTIONS.includes(name)) informs = true;
      // The last duplicate wins.
      if (withValue.includes(name)) values.set(name, value ?? args[++at] ?? "");
      else if (value === undefined || value === "true") switches.add(name);
    } else if (argument === "--") {
      at++;
      break;
    } else if (toTheEnd) {
      others.push(argument);
    } else {
      break;
    }
  }
  return {
    options: { values, switches, informs } satisfies Options,
    others: [...others, ...args.slice(at)],
  };
}

/**
 * Parses a command line as runc and crun do: options before the command are global, options of a command may come
 * before or after its arguments, and `--` ends them. An unknown option counts as a switch. The runtime reports errors
 * in the command line.
 *
 * @param args the arguments after the program's name.
 */
export function parseRuntimeArguments(args: readonly string[]): RuntimeArguments {
  const global = readOptions(args, RUNTIME_OPTIONS.global, false);
  const [command = "", ...rest] = global.others;
  const creating = CREATING_COMMANDS.includes(command);
  const own = readOptions(creating ? rest : [], RUNTIME_OPTIONS.command, true);
  const { values } = own.options;
  return {
    creates: creating && !global.options.informs && !own.options.informs,
    bundle: values.get("bundle") ?? values.get("b"),
    config: values.get("config") ?? values.get("f"),
    id: own.others[0] ?? "",
    log: global.options.values.get("log"),
    logFormat: global.options.values.get("log-format"),
    systemdCgroup:
      global.options.switches.has("systemd-cgroup") ||
      global.options.values.get("cgroup-manager") === "systemd",
  };
}
