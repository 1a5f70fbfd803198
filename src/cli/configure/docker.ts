import { type JsonPath, type JsonText, removeJson, setJson } from "../../json/edit-json.ts";
import { describeFault, readJsonObject } from "../../json/json-fault.ts";
import { NvociError } from "../../model/errors.ts";
import { isPlainObject, type PlainObject } from "../../model/object-reader.ts";
import { basename, hostPath } from "../../model/paths.ts";
import { quote } from "../../text/quote.ts";
import type { ContainerEngine, EngineFile } from "./engine-edit.ts";

const DEFAULT = "default-runtime";

interface Daemon {
  readonly json: JsonText;
  readonly root: PlainObject;
  readonly runtimes: PlainObject;
}

/** @throws {NvociError} "file-invalid" when the text is not JSON; the message has the line. */
function parse(path: string, text: string): Daemon {
  const json: JsonText = { name: path, code: "file-invalid", text: text.trim() === "" ? "{}" : text };
  const fault = describeFault(json.text);
  if (fault !== undefined) {
    throw new NvociError("file-invalid", `Cannot edit ${quote(path, 4096)}: ${fault}`, {
      hint: "fix it first; nothing has been changed",
    });
  }
  const root = readJsonObject(json, json.text);
  return { json, root: root.all, runtimes: root.object("runtimes")?.all ?? {} };
}

/** Returns the program of a runtime's entry. */
const programOf = (runtimes: PlainObject, name: string): unknown => {
  const entry = runtimes[name];
  return isPlainObject(entry) ? entry.path : undefined;
};

/** Sets a member to its former value, or removes it if there is none. */
function restore(json: JsonText, path: JsonPath, former: unknown): JsonText {
  return former === undefined ? removeJson(json, path) : setJson(json, path, former);
}

function unregister({ path, text, backup }: EngineFile, name: string, program: string): string | undefined {
  if (text === undefined) return undefined;
  const { json, root, runtimes } = parse(path, text);
  const given = programOf(runtimes, name);
  const isOurs = given === program || given === basename(program);
  if (!isOurs) return text;
  const before = backup === undefined ? undefined : parse(path, backup);
  let edited = restore(json, ["runtimes", name], before?.runtimes[name]);
  const isEmpty = Object.keys(runtimes).every((key) => key === name) && before?.runtimes[name] === undefined;
  // Remove the empty object, or restore the `null` that was there.
  if (isEmpty && !before?.root.runtimes) edited = restore(edited, ["runtimes"], before?.root.runtimes);
  if (root[DEFAULT] === name) edited = restore(edited, [DEFAULT], before?.root[DEFAULT]);
  // To dockerd a missing file equals an empty one, so a file that nvoci created is removed.
  const isNothing = edited.text.replace(/\s/g, "") === "{}";
  return isNothing && (backup === undefined || backup.trim() === "") ? backup : edited.text;
}

/**
 * Docker's daemon.json: the runtime, and the name of the default runtime.
 *
 * @see dockerd(8), "Daemon configuration file"
 */
export const docker: ContainerEngine = {
  title: "Docker",
  file: hostPath("/etc/docker/daemon.json"),
  isShared: true,
  reload: "systemctl restart docker",
  register({ path, text }, { name, path: program, isDefault }) {
    const start = text === undefined ? '{\n    "runtimes": {}\n}\n' : text;
    const { json, root, runtimes } = parse(path, start);
    let edited = json;
    if (programOf(runtimes, name) !== program) edited = setJson(edited, ["runtimes", name, "path"], program);
    if (isDefault && root[DEFAULT] !== name) edited = setJson(edited, [DEFAULT], name);
    return edited.text;
  },
  unregister: (file, { name, path }) => unregister(file, name, path),
};
