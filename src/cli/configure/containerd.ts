import { stringify } from "smol-toml";
import { parseToml } from "../../config/table-reader.ts";
import { NvociError } from "../../model/errors.ts";
import { hostPath } from "../../model/paths.ts";
import type { HostView } from "../../model/views.ts";
import { quote } from "../../text/quote.ts";
import { addBlock, containerdDropIn, mergingMain, setDefault, strip } from "./containerd-block.ts";
import type { ContainerEngine, EngineFile, Registration } from "./engine-edit.ts";

const OLD_PLUGIN = "io.containerd.grpc.v1.cri";
const RUNC = "io.containerd.runc.v2";

type TomlTable = { readonly [key: string]: unknown };

const isTable = (value: unknown): value is TomlTable =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns the table at a path, or an empty one. */
const tableAt = (table: TomlTable, ...keys: readonly string[]): TomlTable =>
  keys.reduce<TomlTable>((inner, key) => (isTable(inner[key]) ? inner[key] : {}), table);

/** Returns the plugin that reads the runtimes. */
const pluginOf = (root: TomlTable): string =>
  Number(root.version ?? 1) >= 3 ? "io.containerd.cri.v1.runtime" : OLD_PLUGIN;

const refuse = (path: string, reason: string, hint: string): NvociError =>
  new NvociError("file-invalid", `Cannot edit ${quote(path, 4096)}: ${reason}`, { hint });

/**
 * Returns the runtime's entry: a copy of the default runtime's, so that options such as the cgroup driver are the
 * same.
 *
 * @param cri the `containerd` table of the file that has the default runtime.
 */
function runtimeEntry(cri: TomlTable, program: string): TomlTable {
  const name = cri.default_runtime_name;
  const runtimes = tableAt(cri, "runtimes");
  const model = tableAt(runtimes, typeof name === "string" && isTable(runtimes[name]) ? name : "runc");
  const options = { ...tableAt(model, "options"), BinaryName: program };
  // An empty type counts as none: containerd would look for a shim without a name.
  return { ...model, runtime_type: model.runtime_type || RUNC, options };
}

/**
 * containerd 1 defines runc only while no runtime is configured, and refuses to work without its default runtime.
 */
const impliedRuntimes = (cri: TomlTable, plugin: string): TomlTable =>
  plugin === OLD_PLUGIN && Object.keys(tableAt(cri, "runtimes")).length === 0
    ? { runc: { runtime_type: RUNC } }
    : {};

function register(
  { path, text: given }: EngineFile,
  { name, path: program, isDefault }: Registration,
  host: HostView,
): string {
  const main = mergingMain(host, path);
  // containerd ignores the plugin's tables of an imported file of an older version.
  const text = given ?? `version = ${main?.version ?? 2}\n`;
  const clean = strip(text, path);
  const root = parseToml(clean, path);
  if (Number(root.version ?? 1) < 2) {
    throw refuse(
      path,
      "its version is 1, which containerd 2 no longer reads",
      'convert it with "containerd config migrate"',
    );
  }
  const plugin = pluginOf(root);
  const cri = tableAt(root, "plugins", plugin, "containerd");
  const entry = tableAt(cri, "runtimes", name);
  const binary = tableAt(entry, "options").BinaryName;
  if (Object.keys(entry).length > 0 && binary !== program) {
    const other = typeof binary === "string" ? `with the program ${quote(binary)}` : "of another kind";
    throw refuse(
      path,
      `it already has a runtime ${quote(name)}, ${other}`,
      "remove it, or choose another name with --name",
    );
  }
  const changed = isDefault && cri.default_runtime_name !== name ? setDefault(clean, plugin, name) : clean;
  const model = main === undefined ? cri : tableAt(main, "plugins", plugin, "containerd");
  const entries = {
    ...(changed === undefined ? { default_runtime_name: name } : {}),
    ...(binary === program
      ? {}
      : { runtimes: { ...impliedRuntimes(cri, plugin), [name]: runtimeEntry(model, program) } }),
  };
  const start = changed ?? clean;
  if (Object.keys(entries).length === 0) return start;
  const block = stringify({ plugins: { [plugin]: { containerd: entries } } }).trim();
  const edited = addBlock(start, block);
  check(path, edited, plugin, { name, path: program, isDefault });
  return edited;
}

/**
 * Parses the edited text and checks that it has the registration.
 *
 * @throws {NvociError} "file-invalid" when it does not.
 */
function check(file: string, text: string, plugin: string, { name, path, isDefault }: Registration): void {
  const hint = "write plugins, containerd and runtimes as separate tables, and try again";
  let cri: TomlTable;
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
 * containerd's config.toml: a marked block with the runtime, and the name of the default runtime. The block goes
 * into a drop-in file if containerd imports a directory. containerd 1 gets no drop-in file, because it replaces a
 * plugin's whole configuration by an imported one.
 *
 * @see containerd-config.toml(5)
 */
export const containerd: ContainerEngine = {
  title: "containerd",
  file: hostPath("/etc/containerd/config.toml"),
  dropIn: containerdDropIn,
  isShared: true,
  reload: "systemctl restart containerd",
  register,
  unregister({ path, text, backup }) {
    if (text === undefined) return undefined;
    const clean = strip(text, path);
    return backup === undefined && clean !== text && /^version = \d$/.test(clean.trim()) ? undefined : clean;
  },
};
