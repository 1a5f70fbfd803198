import { type ContainerPath, containerPath, type HostPath, join } from "../model/paths.ts";
import {
  faulty,
  type JsonDocument,
  type JsonObject,
  parseJsonObject,
  readBoolean,
  readCount,
  readList,
  readObject,
  readObjects,
  readString,
  readStrings,
} from "./json-document.ts";

/** A mount of config.json. */
export interface SpecMount {
  /** As written: it may be relative, or hold `..`. */
  readonly destination: string;
  readonly type: string | undefined;
  readonly source: string | undefined;
  readonly options: readonly string[];
}

/** A device node that config.json has the runtime create. */
export interface SpecDevice {
  readonly path: ContainerPath;
  /** `c`, `b`, `u` or `p`; not checked. */
  readonly type: string;
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** The part of a container's configuration that is used. */
export interface Spec {
  /** Empty where the file has none. */
  readonly ociVersion: string;
  readonly root: { readonly path: HostPath; readonly readonly: boolean };
  /** `NAME=value`, as written: duplicates and entries without `=` are in it. */
  readonly env: readonly string[];
  /** Ids of the container's process, as the container numbers them. */
  readonly user: { readonly uid: number; readonly gid: number };
  /** Names such as `CAP_SYS_ADMIN`: what a process of the container can hold at most. */
  readonly boundingCapabilities: readonly string[];
  readonly mounts: readonly SpecMount[];
  readonly devices: readonly SpecDevice[];
  /** Whether the container has a user namespace of its own. */
  readonly userNamespace: boolean;
  readonly cgroupsPath: string | undefined;
  /** SELinux's label of the file systems that are made for the container. */
  readonly mountLabel: string | undefined;
}

/** A bundle's config.json, for errors about it. */
export const specDocument = (bundle: HostPath): JsonDocument => ({
  name: join(bundle, "config.json"),
  code: "spec-invalid",
});

/**
 * Reads the used part of `config.json`. Unknown members are not looked at, and `null` counts as absent.
 *
 * The root is taken relative to the bundle, whatever the working directory; its symbolic links are not resolved.
 *
 * @param bundle the directory of the file.
 * @throws NvociError `spec-invalid` that names the file and the member
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config.md
 */
export function parseSpec(text: string, bundle: HostPath): Spec {
  const document = specDocument(bundle);
  const spec = parseJsonObject(document, text);
  const process = readObject(document, "process", spec.process);
  if (!process) throw faulty(document, "process is missing");
  const linux = readObject(document, "linux", spec.linux) ?? {};
  return {
    ociVersion: readString(document, "ociVersion", spec.ociVersion) ?? "",
    root: readRoot(document, spec, bundle),
    env: readStrings(document, "process.env", process.env),
    user: readUser(document, process),
    boundingCapabilities: readBoundingCapabilities(document, process),
    mounts: readObjects(document, "mounts", spec.mounts).map((mount, index) =>
      readMount(document, `mounts[${index}]`, mount),
    ),
    devices: readObjects(document, "linux.devices", linux.devices).map((device, index) =>
      readDevice(document, `linux.devices[${index}]`, device),
    ),
    userNamespace: hasUserNamespace(document, linux),
    cgroupsPath: readString(document, "linux.cgroupsPath", linux.cgroupsPath),
    mountLabel: readMountLabel(document, linux),
  };
}

function readUser(document: JsonDocument, process: JsonObject): Spec["user"] {
  const user = readObject(document, "process.user", process.user) ?? {};
  return {
    uid: readCount(document, "process.user.uid", user.uid) ?? 0,
    gid: readCount(document, "process.user.gid", user.gid) ?? 0,
  };
}

function readRoot(document: JsonDocument, spec: JsonObject, bundle: HostPath): Spec["root"] {
  const root = readObject(document, "root", spec.root);
  if (!root) throw faulty(document, "root is missing");
  const path = readString(document, "root.path", root.path);
  if (!path) throw faulty(document, "root.path is missing");
  if (path.includes("\0")) throw faulty(document, "root.path contains a NUL character");
  return {
    path: join(bundle, path) as HostPath,
    readonly: readBoolean(document, "root.readonly", root.readonly),
  };
}

/**
 * Version 1.0.0-rc1 to -rc4 had a flat list where an object of five lists is today. The shape alone tells them
 * apart: versions are not always right, and the two cannot be confused.
 */
function readBoundingCapabilities(document: JsonDocument, process: JsonObject): readonly string[] {
  const path = "process.capabilities";
  const capabilities = process.capabilities;
  if (Array.isArray(capabilities)) return readStrings(document, path, capabilities);
  return readStrings(document, `${path}.bounding`, readObject(document, path, capabilities)?.bounding);
}

function readMount(document: JsonDocument, path: string, mount: JsonObject): SpecMount {
  const destination = readString(document, `${path}.destination`, mount.destination);
  if (!destination) throw faulty(document, `${path}.destination is missing`);
  return {
    destination,
    type: readString(document, `${path}.type`, mount.type),
    source: readString(document, `${path}.source`, mount.source),
    options: readStrings(document, `${path}.options`, mount.options),
  };
}

function readDevice(document: JsonDocument, path: string, device: JsonObject): SpecDevice {
  const name = readString(document, `${path}.path`, device.path);
  if (!name) throw faulty(document, `${path}.path is missing`);
  return {
    path: containerPath(name),
    type: readString(document, `${path}.type`, device.type) ?? "",
    major: readCount(document, `${path}.major`, device.major) ?? 0,
    minor: readCount(document, `${path}.minor`, device.minor) ?? 0,
    fileMode: readCount(document, `${path}.fileMode`, device.fileMode),
    uid: readCount(document, `${path}.uid`, device.uid),
    gid: readCount(document, `${path}.gid`, device.gid),
  };
}

function readMountLabel(document: JsonDocument, linux: JsonObject): string | undefined {
  const label = readString(document, "linux.mountLabel", linux.mountLabel);
  // It is quoted among the options of a mount.
  if (label?.includes('"')) throw faulty(document, "linux.mountLabel contains a quotation mark");
  return label === "" ? undefined : label;
}

function hasUserNamespace(document: JsonDocument, linux: JsonObject): boolean {
  return (
    readList(document, "linux.uidMappings", linux.uidMappings).length > 0 ||
    readObjects(document, "linux.namespaces", linux.namespaces).some((entry) => entry.type === "user")
  );
}
