import { stringify } from "smol-toml";
import { type HostPath, hostPath, PROGRAM_DIRECTORIES } from "../../model/paths.ts";
import { type ContainerEngine, OWN_FILE_HEAD } from "./engine-edit.ts";
import { readHooksDir } from "./podman-hooks-dir.ts";

/**
 * CRI-O: a drop-in file of nvoci's own.
 *
 * @see crio.conf.d(5)
 */
export const crio: ContainerEngine = {
  title: "CRI-O",
  file: hostPath("/etc/crio/crio.conf.d/99-nvoci.toml"),
  isShared: false,
  reload: "systemctl restart crio",
  register(_, { name, path, isDefault }) {
    const runtimes = { [name]: { runtime_path: path, runtime_type: "oci" } };
    const runtime = { ...(isDefault ? { default_runtime: name } : {}), runtimes };
    return `${OWN_FILE_HEAD}${stringify({ crio: { runtime } }).trim()}\n`;
  },
  unregister: () => undefined,
};

/**
 * Returns the directory of nvoci's hook file. It has no other file: CRI-O would run a hook in a shared directory
 * too.
 */
const hooksDirectory = (file: HostPath): HostPath => hostPath(`${file.replace(/\.conf$/, "")}.hooks.d`);

/** The name of the package's hook file too: podman reads only one of them, so the hook runs once per container. */
const HOOK_FILE = "oci-nvoci-prestart.json";

/** Returns a hook file for every container, as in `hooks/`. */
const hookText = (program: HostPath): string =>
  `${JSON.stringify(
    {
      version: "1.0.0",
      hook: {
        path: program,
        args: ["nvoci", "hook", "prestart"],
        env: [`PATH=${PROGRAM_DIRECTORIES.join(":")}`],
      },
      when: { always: true },
      stages: ["prestart"],
    },
    null,
    2,
  )}\n`;

/**
 * podman: a drop-in file with the runtime, and a directory with the hook for containers of other runtimes.
 *
 * @see containers.conf(5), oci-hooks(5)
 */
export const podman: ContainerEngine = {
  title: "podman",
  file: hostPath("/etc/containers/containers.conf.d/99-nvoci.conf"),
  isShared: false,
  reload: "",
  register({ path: file }, { name, path, isDefault }, host) {
    const { directories, isAppended } = readHooksDir(host, file);
    const engine = {
      ...(isDefault ? { runtime: name } : {}),
      // This list replaces earlier ones, so it must contain the directories of other files.
      hooks_dir: [...(isAppended ? [] : directories), hooksDirectory(file)],
      runtimes: { [name]: [path] },
    };
    return `${OWN_FILE_HEAD}${stringify({ engine }).trim()}\n`;
  },
  unregister: () => undefined,
  hookFile: (file, program) => ({
    path: hostPath(`${hooksDirectory(file)}/${HOOK_FILE}`),
    text: hookText(program),
  }),
};
