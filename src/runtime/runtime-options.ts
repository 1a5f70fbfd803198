/**
 * The options of low-level runtimes that take a value, in a word of its own or after `=`. Every other option is a
 * switch. One dash or two mean the same, as in runc.
 *
 * @see runc(8), runc-create(8), runc-run(8), crun(1)
 */
export const RUNTIME_OPTIONS = {
  /** Before the command. */
  global: ["log", "log-format", "root", "criu", "rootless", "cgroup-manager"],
  /** After `create` and `run`. */
  command: ["bundle", "b", "config", "f", "console-socket", "pid-file", "preserve-fds"],
} as const;

/** Options that make a runtime print something instead of what the rest of the line says. */
export const INFORMATION_OPTIONS: readonly string[] = ["help", "h", "?", "usage", "version", "v", "V"];

/** The commands that read a bundle's config.json to make a container of it. */
export const CREATING_COMMANDS: readonly string[] = ["create", "run"];
