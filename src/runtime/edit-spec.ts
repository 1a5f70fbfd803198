import type { JsonText } from "../json/edit-json.ts";
import { readJsonObject } from "../json/json-fault.ts";
import { mergeJson } from "../json/merge-json.ts";
import type { DeviceNode } from "../model/container-edits.ts";
import type { ObjectReader, PlainObject } from "../model/object-reader.ts";
import { basename } from "../model/paths.ts";
import type { Spec } from "../oci/spec.ts";
import { HOOK_NAMES } from "../oci/state.ts";

/** A hook entry of config.json. */
export interface HookEntry {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
}

/** What a container gets by its config.json. The hook does everything else. */
export interface SpecAdditions {
  readonly deviceNodes: readonly DeviceNode[];
  /** Whether to grant access to the devices. */
  readonly cgroups: boolean;
  /** Whether to add the groups of device nodes that are not open to everyone. */
  readonly groups: boolean;
  readonly hook: HookEntry;
}

/** Stages at which nvoci's or NVIDIA's hook may already be registered. */
const STAGES = ["prestart", "createRuntime", "createContainer"];

const WORLD_READ_WRITE = 0o006;

/** In a user namespace, the runtime binds the host's node of the same path. Other nodes are left to the hook. */
const isForRuntime = ({ hostPath, path }: DeviceNode, spec: Spec): boolean =>
  !spec.userNamespace || (hostPath as string) === (path as string);

const devicesOf = (nodes: readonly DeviceNode[]): readonly object[] =>
  nodes.map(({ path, type, major, minor, fileMode, uid, gid }) => {
    return { path, type, major, minor, fileMode: fileMode & 0o777, uid, gid };
  });

function rulesOf(root: ObjectReader, nodes: readonly DeviceNode[]): readonly object[] {
  const rulesGiven = root.object("linux")?.object("resources")?.objects("devices") ?? [];
  const allowed = new Map<string, string[]>();
  for (const { all: rule } of rulesGiven) {
    if (rule.allow !== true) continue;
    const number = `${rule.type} ${rule.major}:${rule.minor}`;
    const given = allowed.get(number);
    if (given === undefined) allowed.set(number, [String(rule.access)]);
    else given.push(String(rule.access));
  }
  const rules = new Map<string, object>();
  for (const { type, major, minor, permissions } of nodes) {
    const number = `${type} ${major}:${minor}`;
    const isGiven = allowed
      .get(number)
      ?.some((access) => [...permissions].every((letter) => access.includes(letter)));
    // Includes mknod(2), as Docker's --device does.
    if (isGiven !== true) rules.set(number, { allow: true, type, major, minor, access: "rwm" });
  }
  return [...rules.values()];
}

/**
 * Returns the groups that give an unprivileged process access to nodes that are not open to everyone. In a user
 * namespace, the host's groups have no meaning, and a group without a mapping would prevent the start.
 */
function groupsOf(root: ObjectReader, spec: Spec, nodes: readonly DeviceNode[]): readonly number[] {
  if (spec.userNamespace) return [];
  const given = new Set(root.object("process")?.object("user")?.list("additionalGids"));
  const wanted = nodes.filter(
    ({ gid, fileMode }) =>
      gid !== 0 && gid !== spec.user.gid && (fileMode & WORLD_READ_WRITE) !== WORLD_READ_WRITE,
  );
  return [...new Set(wanted.map(({ gid }) => gid))].filter((gid) => !given.has(gid));
}

/** Reports whether an entry is nvoci's hook, under any path, or NVIDIA's. */
function isHook({ path, args }: PlainObject): boolean {
  if (typeof path !== "string") return false;
  const isNvoci = basename(path).startsWith("nvoci") && Array.isArray(args) && args[1] === "hook";
  return isNvoci || HOOK_NAMES.includes(basename(path));
}

function hooksOf(root: ObjectReader, hook: HookEntry): readonly HookEntry[] {
  const hooks = root.object("hooks");
  const entries = STAGES.flatMap((stage) => hooks?.objects(stage) ?? []);
  return entries.some(({ all: entry }) => isHook(entry) || entry.path === hook.path) ? [] : [hook];
}

/**
 * Adds devices, access to them, groups and the hook to a config.json. Existing entries are not added again, so a second
 * edit changes nothing. All other text is preserved exactly.
 *
 * @param json the text that `spec` was parsed from.
 * @throws {NvociError} with the document's code when a member has the wrong type.
 */
export function editSpec(json: JsonText, spec: Spec, additions: SpecAdditions): JsonText {
  const root = readJsonObject(json, json.text);
  const given = new Set(spec.devices.map(({ path }) => path));
  const nodes = additions.deviceNodes.filter((node) => !given.has(node.path) && isForRuntime(node, spec));
  return mergeJson(json, {
    linux: {
      devices: devicesOf(nodes),
      resources: { devices: additions.cgroups ? rulesOf(root, nodes) : [] },
    },
    process: { user: { additionalGids: additions.groups ? groupsOf(root, spec, nodes) : [] } },
    // Not createRuntime: runtimes before runtime-spec 1.0.2 do not support it.
    hooks: { prestart: hooksOf(root, additions.hook) },
  });
}
