/**
 * The options of low-level runtimes that take a value, in a word of its own or after `=`. Every other option is a
 * switch. One dash or two mean the same, as in runc.
 *
 * @see runc(8), runc-create(8), runc-run(8), crun(1)
 */
const RUNTIME_OPTIONS = {
  /** Before the command. */
  global: ["log", "log-format", "root", "criu", "rootless", "cgroup-manager"],
  /** After `create` and `run`. */
  command: ["bundle", "b", "config", "f", "console-socket", "pid-file", "preserve-fds"],
} as const;

/** Options that make a runtime print something instead of what the rest of the line says. */
const INFORMATION_OPTIONS: readonly string[] = ["help", "h", "?", "usage", "version", "v", "V"];

/** The commands that read a bundle's config.json to make a container of it. */
const CREATING_COMMANDS: readonly string[] = ["create", "run"];

/** What matters of a low-level runtime's command line. */
export interface RuntimeArguments {
  /** Whether a container is made. Everything else is none of our business. */
  readonly creates: boolean;
  /** As given; the current directory where it is absent. */
  readonly bundle: string | undefined;
  /** crun's way to name another file than the bundle's config.json. */
  readonly config: string | undefined;
  /** The container's name, empty where there is none. */
  readonly id: string;
  /** Where the runtime is to log errors, which is where engines look for them. */
  readonly log: string | undefined;
  readonly logFormat: string | undefined;
  /** Whether the container's cgroup is to be systemd's. */
  readonly systemdCgroup: boolean;
}

interface Options {
  readonly values: ReadonlyMap<string, string>;
  /** Names of the options that take no value and are not switched off. */
  readonly switches: ReadonlySet<string>;
  readonly informs: boolean;
}

/** Reads words as options until one is none, or to the end, gathering those that are none. */
function readOptions(words: readonly string[], withValue: readonly string[], toTheEnd: boolean) {
  const values = new Map<string, string>();
  const switches = new Set<string>();
  const others: string[] = [];
  let informs = false;
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] as string;
    const [, name, , value] = /^--?([^=-][^=]*)(=(.*))?$/s.exec(word) ?? [];
    if (name !== undefined) {
      if (INFORMATION_OPTIONS.includes(name)) informs = true;
      // Of an option that is given twice, the last one holds.
      if (withValue.includes(name)) values.set(name, value ?? words[++at] ?? "");
      else if (value === undefined || value === "true") switches.add(name);
    } else if (word === "--") {
      at++;
      break;
    } else if (toTheEnd) {
      others.push(word);
    } else {
      break;
    }
  }
  return {
    options: { values, switches, informs } satisfies Options,
    others: [...others, ...words.slice(at)],
  };
}

/**
 * Reads a command line in the manner of runc and crun: options before the command are the runtime's own, those of a
 * command may come before or after its arguments, and `--` ends them. An option that is in no table counts as a
 * switch. What is wrong with the line is for the runtime to say.
 *
 * @param words what follows the program's name.
 */
export function parseRuntimeArguments(words: readonly string[]): RuntimeArguments {
  const global = readOptions(words, RUNTIME_OPTIONS.global, false);
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
