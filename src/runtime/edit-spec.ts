import type { DeviceNode } from "../model/container-edits.ts";
import { basename } from "../model/paths.ts";
import { appendJson, type JsonText } from "../oci/edit-json.ts";
import { HOOK_NAMES } from "../oci/hook-names.ts";
import { type JsonObject, parseJsonObject, readList, readObject, readObjects } from "../oci/json-document.ts";
import type { Spec } from "../oci/spec.ts";

/** A hook entry of config.json. */
export interface HookEntry {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
}

/** What a container gets by its config.json; everything else is the hook's. */
export interface SpecAdditions {
  readonly deviceNodes: readonly DeviceNode[];
  /** Whether device access is ours to grant. */
  readonly cgroups: boolean;
  readonly hook: HookEntry;
}

/** Stages at which a hook of ours or NVIDIA's may be registered already. */
const STAGES = ["prestart", "createRuntime", "createContainer"];

const WORLD_READ_WRITE = 0o006;

/** In a user namespace the runtime binds the host's node of the same path; any other one is left to the hook. */
const isForRuntime = ({ hostPath, path }: DeviceNode, spec: Spec): boolean =>
  !spec.userNamespace || (hostPath as string) === (path as string);

function addDevices(json: JsonText, nodes: readonly DeviceNode[]): JsonText {
  const entries = nodes.map(({ path, type, major, minor, fileMode, uid, gid }) => {
    return { path, type, major, minor, fileMode: fileMode & 0o777, uid, gid };
  });
  return appendJson(json, ["linux", "devices"], entries);
}

function addRules(json: JsonText, root: JsonObject, nodes: readonly DeviceNode[]): JsonText {
  const linux = readObject(json, "linux", root.linux);
  const resources = readObject(json, "linux.resources", linux?.resources);
  const given = readObjects(json, "linux.resources.devices", resources?.devices);
  const rules = new Map<string, object>();
  for (const { type, major, minor, permissions } of nodes) {
    const isGiven = given.some(
      (rule) =>
        rule.allow === true &&
        rule.type === type &&
        rule.major === major &&
        rule.minor === minor &&
        [...permissions].every((letter) => String(rule.access).includes(letter)),
    );
    // What the runtime makes it may also hand on: mknod(2) is part of it, as it is for Docker's --device.
    const added = { allow: true, type, major, minor, access: "rwm" };
    if (!isGiven) rules.set(`${type} ${major}:${minor}`, added);
  }
  return appendJson(json, ["linux", "resources", "devices"], [...rules.values()]);
}

/**
 * Groups by which a process without privileges may open nodes that others may not. In a user namespace the host's
 * groups mean nothing, and one without a mapping would keep the container from starting.
 */
function addGroups(json: JsonText, root: JsonObject, spec: Spec, nodes: readonly DeviceNode[]): JsonText {
  if (spec.userNamespace) return json;
  const user = readObject(json, "process.user", readObject(json, "process", root.process)?.user);
  const given = readList(json, "process.user.additionalGids", user?.additionalGids);
  const wanted = nodes.filter(
    ({ gid, fileMode }) =>
      gid !== 0 && gid !== user?.gid && (fileMode & WORLD_READ_WRITE) !== WORLD_READ_WRITE,
  );
  const missing = [...new Set(wanted.map(({ gid }) => gid))].filter((gid) => !given.includes(gid));
  return appendJson(json, ["process", "user", "additionalGids"], missing);
}

/** Whether an entry is the hook, by whatever path, or NVIDIA's own. */
function isHook({ path, args }: JsonObject): boolean {
  if (typeof path !== "string") return false;
  const isNvoci = basename(path).startsWith("nvoci") && Array.isArray(args) && args[1] === "hook";
  return isNvoci || HOOK_NAMES.includes(basename(path));
}

function addHook(json: JsonText, root: JsonObject, hook: HookEntry): JsonText {
  const hooks = readObject(json, "hooks", root.hooks);
  const entries = STAGES.flatMap((stage) => readObjects(json, `hooks.${stage}`, hooks?.[stage]));
  // createRuntime would do as well, but runtimes before runtime-spec 1.0.2 do not know it.
  return entries.some((entry) => isHook(entry) || entry.path === hook.path)
    ? json
    : appendJson(json, ["hooks", "prestart"], [hook]);
}

/**
 * Adds devices, access to them, groups and the hook to a config.json. What is there already is not added again, so
 * that a second time changes nothing; what is there from others stays as it is, to the last character.
 *
 * @param json the text that `spec` was read from.
 * @throws NvociError with the document's code for members of a wrong type.
 */
export function editSpec(json: JsonText, spec: Spec, additions: SpecAdditions): JsonText {
  const root = parseJsonObject(json, json.text);
  const given = new Set(spec.devices.map(({ path }) => path));
  const nodes = additions.deviceNodes.filter((node) => !given.has(node.path) && isForRuntime(node, spec));
  const withDevices = addDevices(json, nodes);
  const withRules = additions.cgroups ? addRules(withDevices, root, nodes) : withDevices;
  return addHook(addGroups(withRules, root, spec, nodes), root, additions.hook);
}
