import {
  type ContainerEdits,
  type DeviceNode,
  FILE_OPTIONS,
  type Link,
  type Mount,
  NO_EDITS,
} from "../../../src/model/container-edits.ts";
import { containerPath, hostPath } from "../../../src/model/paths.ts";

/** Returns a mounted file or directory, at the host's own path unless `at` names another. */
export const mount = (kind: Mount["kind"], host: string, at: string = host): Mount => ({
  hostPath: hostPath(host),
  containerPath: containerPath(at),
  kind,
  options: FILE_OPTIONS,
  source: `test.csv:${at}`,
});

export const link = (at: string, target: string): Link => ({
  containerPath: containerPath(at),
  target,
  source: `test.csv:${at}`,
});

/** Returns a character device. */
export const device = (path: string, major: number, minor: number, permissions = "rw"): DeviceNode => ({
  path: containerPath(path),
  hostPath: hostPath(path),
  type: "c",
  major,
  minor,
  fileMode: 0o666,
  permissions,
  uid: 0,
  gid: 0,
  source: `test.csv:${path}`,
});

/** Returns edits with only the given lists. */
export const edits = (given: Partial<ContainerEdits>): ContainerEdits => ({ ...NO_EDITS, ...given });
