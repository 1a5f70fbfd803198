import { stringify } from "smol-toml";
import { hostPath } from "../../model/paths.ts";
import type { Engine, Registration } from "./engine-edit.ts";

const HEAD = '# Made by "nvoci configure"; "nvoci configure --remove" removes the file.\n';

/** An engine that reads files beside its own, so that nobody's file is changed. */
function engine(
  title: string,
  file: string,
  reload: string,
  content: (registration: Registration) => Parameters<typeof stringify>[0],
): Engine {
  return {
    title,
    file: hostPath(file),
    isShared: false,
    reload,
    register: (_, registration) => `${HEAD}${stringify(content(registration)).trim()}\n`,
    unregister: () => undefined,
  };
}

/** @see crio.conf.d(5) */
export const crio: Engine = engine(
  "CRI-O",
  "/etc/crio/crio.conf.d/99-nvoci.toml",
  "systemctl restart crio",
  ({ name, path, isDefault }) => ({
    crio: {
      runtime: {
        ...(isDefault ? { default_runtime: name } : {}),
        runtimes: { [name]: { runtime_path: path, runtime_type: "oci" } },
      },
    },
  }),
);

/** @see containers.conf(5) */
export const podman: Engine = engine(
  "podman",
  "/etc/containers/containers.conf.d/99-nvoci.conf",
  "",
  ({ name, path, isDefault }) => ({
    engine: { ...(isDefault ? { runtime: name } : {}), runtimes: { [name]: [path] } },
  }),
);
