import { stringify } from "smol-toml";
import { type HostPath, hostPath, PROGRAM_DIRECTORIES } from "../../model/paths.ts";
import { type ContainerEngine, OWN_FILE_HEAD } from "./engine-edit.ts";
import { readHooksDir } from "./podman-hooks-dir.ts";

/**
 * A file of ours beside CRI-O's own.
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
 * A directory for our hook file alone, beside the configuration: CRI-O would read the hook in one that both share.
 */
const hooksDirectory = (file: HostPath): HostPath => hostPath(`${file.replace(/\.conf$/, "")}.hooks.d`);

/** The name that a package's file has too: podman takes one of them, so that a container has the hook once. */
const HOOK_FILE = "oci-nvoci-prestart.json";

/** The hook for every container, as `hooks/` has it. */
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
 * A file of ours beside podman's own: the runtime, and a directory with the hook for containers of other runtimes.
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
      // The list takes the place of an earlier one: what others want from podman has to be in it.
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
