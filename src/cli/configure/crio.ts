import { stringify } from "smol-toml";
import { hostPath } from "../../model/paths.ts";
import { type Engine, OWN_FILE_HEAD } from "./engine-edit.ts";

/**
 * A file of ours beside CRI-O's own.
 *
 * @see crio.conf.d(5)
 */
export const crio: Engine = {
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
