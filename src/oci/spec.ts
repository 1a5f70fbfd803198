import { readJsonObject } from "../json/json-fault.ts";
import type { Document, ObjectReader } from "../model/object-reader.ts";
import { type ContainerPath, containerPath, type HostPath, join } from "../model/paths.ts";

/** A mount of config.json. */
interface SpecMount {
  /** As written: it may be relative or contain `..`. */
  readonly destination: string;
  readonly source: string | undefined;
}

/** A device node that the runtime creates. nvoci does not use its other members. */
interface SpecDevice {
  readonly path: ContainerPath;
}

/** The part of a container's configuration that nvoci uses. */
export interface Spec {
  readonly root: { readonly path: HostPath };
  /** `NAME=value`, as written, including duplicates and entries without `=`. */
  readonly env: readonly string[];
  /** Ids of the container's process, in the container's user namespace. */
  readonly user: { readonly uid: number; readonly gid: number };
  /** The bounding set: names such as `CAP_SYS_ADMIN`. */
  readonly boundingCapabilities: readonly string[];
  readonly mounts: readonly SpecMount[];
  readonly devices: readonly SpecDevice[];
  /** Whether the container has its own user namespace. */
  readonly userNamespace: boolean;
  /** SELinux label of the file systems that the runtime mounts for the container. */
  readonly mountLabel: string | undefined;
}

/** Returns the description of a bundle's config.json, for errors. */
export const specDocument = (bundle: HostPath): Document => ({
  name: join(bundle, "config.json"),
  code: "spec-invalid",
});

/**
 * Parses the part of `config.json` that nvoci uses. Other members are not checked, and `null` counts as absent.
 *
 * A relative root is relative to the bundle, not to the working directory. Its symbolic links are not resolved.
 *
 * @param bundle the directory of the file.
 * @throws {NvociError} "spec-invalid" when the text is invalid; the message has the file and the member.
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config.md
 */
export function parseSpec(text: string, bundle: HostPath): Spec {
  const spec = readJsonObject(specDocument(bundle), text);
  const process = spec.required("process", spec.object("process"));
  const linux = spec.object("linux");
  return {
    root: readRoot(spec, bundle),
    env: process.strings("env") ?? [],
    user: readUser(process),
    boundingCapabilities: readBoundingCapabilities(process),
    mounts: spec.objects("mounts")?.map(readMount) ?? [],
    devices: linux?.objects("devices")?.map(readDevice) ?? [],
    userNamespace: hasUserNamespace(linux),
    mountLabel: readMountLabel(linux),
  };
}

function readUser(process: ObjectReader): Spec["user"] {
  const user = process.object("user");
  return { uid: user?.count("uid") ?? 0, gid: user?.count("gid") ?? 0 };
}

function readRoot(spec: ObjectReader, bundle: HostPath): Spec["root"] {
  const root = spec.required("root", spec.object("root"));
  const path = root.required("path", root.string("path"));
  if (path.includes("\0")) throw root.invalid("path", "contains a NUL character");
  return { path: join(bundle, path) as HostPath };
}

/**
 * Reads the bounding set. Versions 1.0.0-rc1 to -rc4 had a flat list in place of the object of five lists. The
 * shape decides, not `ociVersion`, which is not always right.
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
    source: mount.string("source"),
  };
}

const readDevice = (device: ObjectReader): SpecDevice => ({
  path: containerPath(device.required("path", device.string("path"))),
});

function readMountLabel(linux: ObjectReader | undefined): string | undefined {
  const label = linux?.string("mountLabel");
  // The label is written between quotation marks in mount options.
  if (label?.includes('"')) throw linux?.invalid("mountLabel", "contains a quotation mark");
  return label === "" ? undefined : label;
}

const hasUserNamespace = (linux: ObjectReader | undefined): boolean =>
  (linux?.list("uidMappings") ?? []).length > 0 ||
  (linux?.objects("namespaces") ?? []).some((namespace) => namespace.value("type") === "user");
