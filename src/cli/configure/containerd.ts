import { stringify } from "smol-toml";
import { parseToml } from "../../config/parse-toml.ts";
import { NvociError } from "../../model/errors.ts";
import { hostPath } from "../../model/paths.ts";
import { quote } from "../../model/quote.ts";
import type { Engine, EngineFile, Registration } from "./engine-edit.ts";

const BEGIN = '# nvoci: begin, made by "nvoci configure containerd"';
const END = "# nvoci: end";
const ADDED_LINE = "# nvoci: added";
const FORMER_LINE = "# nvoci: was ";

type Table = { readonly [key: string]: unknown };

const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The table at the end of a path; an empty one where there is none. */
const tableAt = (table: Table, ...keys: readonly string[]): Table =>
  keys.reduce<Table>((inner, key) => (isTable(inner[key]) ? inner[key] : {}), table);

/** Which plugin reads the runtimes. */
const pluginOf = (root: Table): string =>
  Number(root.version ?? 1) >= 3 ? "io.containerd.cri.v1.runtime" : "io.containerd.grpc.v1.cri";

const refuse = (path: string, reason: string, hint: string): NvociError =>
  new NvociError("file-invalid", `Cannot edit ${quote(path, 4096)}: ${reason}`, [hint]);

/** The runtime's entry: a copy of the default one, so that options such as the cgroup driver are the same. */
function runtimeEntry(cri: Table, program: string): Table {
  const name = cri.default_runtime_name;
  const runtimes = tableAt(cri, "runtimes");
  const model = tableAt(runtimes, typeof name === "string" && isTable(runtimes[name]) ? name : "runc");
  const options = { ...tableAt(model, "options"), BinaryName: program };
  return { runtime_type: "io.containerd.runc.v2", ...model, options };
}

/** Puts the name of the default runtime where the file has one, or into a table that the file has. */
function setDefault(text: string, plugin: string, name: string): string | undefined {
  const line = `default_runtime_name = ${JSON.stringify(name)}`;
  const given = /^([ \t]*)(default_runtime_name[ \t]*=[^\n]*)$/m;
  if (given.test(text)) {
    return text.replace(
      given,
      (_, indent: string, former: string) => `${indent}${line} ${FORMER_LINE}${former}`,
    );
  }
  const header = text.split("\n").findIndex((candidate) => {
    const [, inside] = /^\s*\[([^[\]]+)\]/.exec(candidate) ?? [];
    return inside?.replace(/['"\s]/g, "") === `plugins.${plugin}.containerd`;
  });
  if (header < 0) return undefined;
  const lines = text.split("\n");
  lines.splice(header + 1, 0, `${line} ${ADDED_LINE}`);
  return lines.join("\n");
}

/** The text without anything of ours. */
function strip(text: string): string {
  const lines: string[] = [];
  let inBlock = false;
  for (const line of text.split("\n")) {
    if (line === BEGIN) {
      inBlock = true;
      // The blank line that sets the block off.
      if (lines.at(-1) === "") lines.pop();
    } else if (inBlock) inBlock = line !== END;
    else if (line.includes(FORMER_LINE)) {
      lines.push(
        `${/^\s*/.exec(line)?.[0] ?? ""}${line.slice(line.indexOf(FORMER_LINE) + FORMER_LINE.length)}`,
      );
    } else if (!line.endsWith(ADDED_LINE)) lines.push(line);
  }
  return lines.join("\n");
}

function register(
  { path, text = "version = 2\n" }: EngineFile,
  { name, path: program, isDefault }: Registration,
): string {
  const clean = strip(text);
  const root = parseToml(clean, path);
  if (Number(root.version ?? 1) < 2) {
    throw refuse(
      path,
      "its version is 1, which containerd 2 no longer reads",
      'see "containerd config migrate"',
    );
  }
  const plugin = pluginOf(root);
  const cri = tableAt(root, "plugins", plugin, "containerd");
  const given = tableAt(cri, "runtimes", name);
  const binary = tableAt(given, "options").BinaryName;
  if (Object.keys(given).length > 0 && binary !== program) {
    const other = typeof binary === "string" ? `with the program ${quote(binary)}` : "of another kind";
    throw refuse(
      path,
      `it has a runtime "${name}" already, ${other}`,
      "remove it, or choose another name with --name",
    );
  }
  const changed = isDefault && cri.default_runtime_name !== name ? setDefault(clean, plugin, name) : clean;
  const entries = {
    ...(changed === undefined ? { default_runtime_name: name } : {}),
    ...(binary === program ? {} : { runtimes: { [name]: runtimeEntry(cri, program) } }),
  };
  const start = changed ?? clean;
  if (Object.keys(entries).length === 0) return start;
  const block = stringify({ plugins: { [plugin]: { containerd: entries } } }).trim();
  const separated = start === "" || start.endsWith("\n") ? start : `${start}\n`;
  const edited = `${separated}\n${BEGIN}\n${block}\n${END}\n`;
  check(path, edited, plugin, { name, path: program, isDefault });
  return edited;
}

/** A text edit is believed only when a parser sees what it is to say. */
function check(file: string, text: string, plugin: string, { name, path, isDefault }: Registration): void {
  const hint = "write plugins, containerd and runtimes as tables of their own, and try again";
  let cri: Table;
  try {
    cri = tableAt(parseToml(text, file), "plugins", plugin, "containerd");
  } catch (error) {
    if (error instanceof NvociError) throw refuse(file, "a table of it cannot be added to", hint);
    throw error;
  }
  const hasRuntime = tableAt(cri, "runtimes", name, "options").BinaryName === path;
  if (!hasRuntime || (isDefault && cri.default_runtime_name !== name)) {
    throw refuse(file, "a table of it cannot be added to", hint);
  }
}

/**
 * containerd's config.toml: a marked block with the runtime, and the name of the default one. It is no file of its own
 * among the `imports`: containerd 1 replaces a plugin's whole configuration by an imported one.
 *
 * @see containerd-config.toml(5)
 */
export const containerd: Engine = {
  title: "containerd",
  file: hostPath("/etc/containerd/config.toml"),
  isShared: true,
  reload: "systemctl restart containerd",
  register,
  unregister({ text, backup }) {
    if (text === undefined) return undefined;
    const clean = strip(text);
    return backup === undefined && clean !== text && clean.trim() === "version = 2" ? undefined : clean;
  },
};
