import type { Operation } from "../plan/operation.ts";
import { showPath } from "./show-path.ts";

/** `0660`, as ls(1) and chmod(1) count. */
const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

const from = (hostPath: string, path: string): string =>
  hostPath === path ? "" : ` from ${showPath(hostPath)}`;

/** One line about what an operation does, without who asked for it. */
export function renderOperation(operation: Operation): string {
  switch (operation.op) {
    case "bind-directory":
    case "bind-file":
    case "bind-socket": {
      const { op, path, hostPath, options } = operation;
      return `mount ${op.slice("bind-".length)} ${showPath(path)}${from(hostPath, path)} (${options.join(",")})`;
    }
    case "make-link":
      return `make link ${showPath(operation.path)} -> ${showPath(operation.target)}`;
    case "bind-device": {
      const { path, hostPath, type, major, minor, fileMode } = operation;
      return `give device ${showPath(path)}${from(hostPath, path)} (${type} ${major}:${minor}, mode ${octal(fileMode)})`;
    }
    case "cover-directory": {
      const { path, files, directories } = operation;
      const names = [...files.map(({ name }) => name), ...directories].map(showPath).join(", ");
      return `cover directory ${showPath(path)} with ${names}`;
    }
    case "update-ldcache": {
      const { ldconfig, folders, compatFolder } = operation;
      const all = compatFolder === undefined ? folders : [compatFolder, ...folders];
      const program = `the ${ldconfig.from === "host" ? "host's" : "image's"} ${showPath(ldconfig.path)}`;
      return `refresh /etc/ld.so.cache by ${program} for ${all.map(showPath).join(", ")}`;
    }
    case "allow-devices": {
      const rules = operation.rules.map(
        ({ type, major, minor, access }) => `${type} ${major}:${minor} ${access}`,
      );
      return `allow in the device cgroup: ${rules.join(", ")}`;
    }
  }
}
