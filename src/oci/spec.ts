import type { Document, ObjectReader } from "../model/object-reader.ts";
import { type ContainerPath, containerPath, type HostPath, join } from "../model/paths.ts";
import { readJsonObject } from "./json-document.ts";

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
  /** Names such as `CAP_SYS_ADMIN`: what a process of the container can hold at most. */
  readonly boundingCapabilities: readonly string[];
  readonly mounts: readonly SpecMount[];
  readonly devices: readonly SpecDevice[];
  /** Whether the container has a user namespace of its own. */
  readonly userNamespace: boolean;
  readonly cgroupsPath: string | undefined;
}

/** A bundle's config.json, for errors about it. */
export const specDocument = (bundle: HostPath): Document => ({
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
  const spec = readJsonObject(specDocument(bundle), text);
  const process = spec.required("process", spec.object("process"));
  const linux = spec.object("linux");
  return {
    ociVersion: spec.string("ociVersion") ?? "",
    root: readRoot(spec, bundle),
    env: process.strings("env") ?? [],
    boundingCapabilities: readBoundingCapabilities(process),
    mounts: spec.objects("mounts")?.map(readMount) ?? [],
    devices: linux?.objects("devices")?.map(readDevice) ?? [],
    userNamespace: hasUserNamespace(linux),
    cgroupsPath: linux?.string("cgroupsPath"),
  };
}

function readRoot(spec: ObjectReader, bundle: HostPath): Spec["root"] {
  const root = spec.required("root", spec.object("root"));
  const path = root.required("path", root.string("path"));
  if (path.includes("\0")) throw root.invalid("path", "contains a NUL character");
  return { path: join(bundle, path) as HostPath, readonly: root.boolean("readonly") ?? false };
}

/**
 * Version 1.0.0-rc1 to -rc4 had a flat list where an object of five lists is today. The shape alone decides:
 * versions are not always right, and the two cannot be confused.
 */
function readBoundingCapabilities(process: ObjectReader): readonly string[] {
  const isFlat = Array.isArray(process.value("capabilities"));
  const capabilities = isFlat
    ? process.strings("capabilities")
    : process.object("capabilities")?.strings("bounding");
  return capabilities ?? [];
}

function readMount(mount: ObjectReader): SpecMount {
  return {
    destination: mount.required("destination", mount.string("destination")),
    type: mount.string("type"),
    source: mount.string("source"),
    options: mount.strings("options") ?? [],
  };
}

function readDevice(device: ObjectReader): SpecDevice {
  return {
    path: containerPath(device.required("path", device.string("path"))),
    type: device.string("type") ?? "",
    major: device.count("major") ?? 0,
    minor: device.count("minor") ?? 0,
    fileMode: device.count("fileMode"),
    uid: device.count("uid"),
    gid: device.count("gid"),
  };
}

const hasUserNamespace = (linux: ObjectReader | undefined): boolean =>
  (linux?.list("uidMappings") ?? []).length > 0 ||
  (linux?.objects("namespaces") ?? []).some((namespace) => namespace.value("type") === "user");
