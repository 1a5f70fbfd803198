import { describe, expect, it } from "vitest";
import type { DeviceNode } from "../../../src/model/container-edits.ts";
import { containerPath, hostPath } from "../../../src/model/paths.ts";
import { parseSpec } from "../../../src/oci/spec.ts";
import { editSpec, type SpecAdditions } from "../../../src/runtime/edit-spec.ts";
import { catchError } from "../../support/cli/catch-error.ts";

const node = (path: string, more: Partial<DeviceNode> = {}): DeviceNode => ({
  path: containerPath(path),
  hostPath: hostPath(path),
  type: "c",
  major: 195,
  minor: 0,
  fileMode: 0o666,
  permissions: "rw",
  uid: 0,
  gid: 0,
  source: "test",
  ...more,
});
const HOOK = { path: "/usr/bin/nvoci", args: ["nvoci", "hook", "prestart"], env: ["PATH=/usr/bin"] };
const BASE = {
  ociVersion: "1.0.2",
  process: { env: [], user: { uid: 0, gid: 0 } },
  root: { path: "rootfs" },
};

/** Edits a text and returns the new one. */
function editText(text: string, additions: Partial<SpecAdditions> = {}): string {
  const spec = parseSpec(text, hostPath("/b"));
  const json = { name: "/b/config.json", code: "spec-invalid", text } as const;
  return editSpec(json, spec, {
    deviceNodes: [node("/dev/nvidia0")],
    cgroups: true,
    groups: true,
    hook: HOOK,
    ...additions,
  }).text;
}

interface Edited {
  readonly hooks: Record<string, object[]>;
  readonly linux: { readonly devices: object[]; readonly resources: { readonly devices: object[] } };
  readonly process: { readonly user: { readonly uid?: number; readonly additionalGids?: number[] } };
}
const edit = (config: object, additions: Partial<SpecAdditions> = {}): Edited =>
  JSON.parse(editText(JSON.stringify({ ...BASE, ...config }), additions));

describe("editSpec(): devices", () => {
  it("are added with number, mode and owner, and access once per number", () => {
    const nodes = [
      node("/dev/nvidia0", { gid: 44, fileMode: 0o660 }),
      node("/dev/other", { minor: 0 }),
      node("/dev/disk", { type: "b", major: 7, minor: 300 }),
    ];
    const { linux } = edit({}, { deviceNodes: nodes });
    expect(linux.devices).toEqual([
      { path: "/dev/nvidia0", type: "c", major: 195, minor: 0, fileMode: 0o660, uid: 0, gid: 44 },
      { path: "/dev/other", type: "c", major: 195, minor: 0, fileMode: 0o666, uid: 0, gid: 0 },
      { path: "/dev/disk", type: "b", major: 7, minor: 300, fileMode: 0o666, uid: 0, gid: 0 },
    ]);
    expect(linux.resources.devices).toEqual([
      { allow: true, type: "c", major: 195, minor: 0, access: "rwm" },
      { allow: true, type: "b", major: 7, minor: 300, access: "rwm" },
    ]);
  });

  it("come after existing rules, so that a first rule that denies all does not override them", () => {
    const given = {
      devices: [{ path: "/dev/x", type: "c", major: 1, minor: 9 }],
      resources: { devices: [{ allow: false, access: "rwm" }] },
    };
    const { linux } = edit({ linux: given });
    expect(linux.devices).toHaveLength(2);
    expect(linux.resources.devices).toEqual([
      { allow: false, access: "rwm" },
      expect.objectContaining({ allow: true, major: 195 }),
    ]);
  });

  it("are not added if their path is already listed, nor is their access", () => {
    const { linux } = edit({ linux: { devices: [{ path: "/dev/nvidia0", type: "c", major: 1, minor: 3 }] } });
    expect(linux.devices).toHaveLength(1);
    expect(linux.resources).toBeUndefined();
  });

  it.each([
    [{ allow: true, type: "c", major: 195, minor: 0, access: "rwm" }, 1],
    [{ allow: true, type: "c", major: 195, minor: 0, access: "rw" }, 1],
    [{ allow: true, type: "c", major: 195, minor: 0, access: "r" }, 2],
    [{ allow: false, type: "c", major: 195, minor: 0, access: "rwm" }, 2],
    [{ allow: true, type: "b", major: 195, minor: 0, access: "rwm" }, 2],
    [{ allow: true, type: "c", major: 195, minor: 1, access: "rwm" }, 2],
  ])("have their access added unless it is listed: %j", (rule, count) => {
    expect(edit({ linux: { resources: { devices: [rule] } } }).linux.resources.devices).toHaveLength(count);
  });

  it("get no access if cgroups must not be changed", () => {
    const { linux } = edit({}, { cgroups: false });
    expect(linux.devices).toHaveLength(1);
    expect(linux.resources).toBeUndefined();
  });

  it("with another name on the host are left to the hook in a user namespace, where a runtime binds by name", () => {
    const nodes = [
      node("/dev/nvidia0"),
      node("/dev/nvidia1", { hostPath: hostPath("/run/nvidia/driver/dev/nvidia1"), minor: 1 }),
    ];
    const inNamespace = edit({ linux: { namespaces: [{ type: "user" }] } }, { deviceNodes: nodes });
    expect(inNamespace.linux.devices).toEqual([expect.objectContaining({ path: "/dev/nvidia0" })]);
    expect(inNamespace.linux.resources.devices).toHaveLength(1);
    expect(edit({}, { deviceNodes: nodes }).linux.devices).toHaveLength(2);
  });
});

describe("editSpec(): groups", () => {
  const closed = node("/dev/nvmap", { gid: 44, fileMode: 0o660 });

  it("are added for nodes that are not readable and writable by everyone", () => {
    expect(edit({}, { deviceNodes: [closed] }).process.user).toEqual({
      uid: 0,
      gid: 0,
      additionalGids: [44],
    });
    for (const fileMode of [0o440, 0o664, 0o600]) {
      expect(
        edit({}, { deviceNodes: [node("/dev/x", { gid: 44, fileMode })] }).process.user.additionalGids,
      ).toEqual([44]);
    }
  });

  it.each([
    ["for nodes open to everyone", node("/dev/x", { gid: 44, fileMode: 0o666 }), { uid: 0 }],
    ["for root's group", node("/dev/x", { gid: 0, fileMode: 0o660 }), { uid: 0 }],
    ["if the user is already in the group", closed, { uid: 1, gid: 44 }],
  ])("are not added %s", (_, device, user) => {
    expect(edit({ process: { env: [], user } }, { deviceNodes: [device] }).process.user).toEqual(user);
  });

  it("are not added twice, next to any others", () => {
    const { process } = edit(
      { process: { env: [], user: { uid: 1, additionalGids: [10, 44] } } },
      { deviceNodes: [closed] },
    );
    expect(process.user.additionalGids).toEqual([10, 44]);
    const nodes = [
      closed,
      node("/dev/y", { gid: 44, fileMode: 0o600 }),
      node("/dev/z", { gid: 107, fileMode: 0o660 }),
    ];
    expect(edit({}, { deviceNodes: nodes }).process.user.additionalGids).toEqual([44, 107]);
  });

  it("of the host are not added in a user namespace", () => {
    const linux = { uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }] };
    expect(edit({}, { deviceNodes: [closed], groups: false }).process.user.additionalGids).toBeUndefined();
    expect(edit({ linux }, { deviceNodes: [closed] }).process.user.additionalGids).toBeUndefined();
  });
});

describe("editSpec(): the hook", () => {
  const other = { path: "/usr/bin/other", args: ["other", "hook"], env: [] };

  it("is added after existing hooks, which stay unchanged", () => {
    expect(edit({ hooks: { prestart: [other], poststop: [other] } }).hooks).toEqual({
      prestart: [other, HOOK],
      poststop: [other],
    });
    expect(edit({ hooks: null }).hooks).toEqual({ prestart: [HOOK] });
    expect(edit({ hooks: { prestart: null } }).hooks).toEqual({ prestart: [HOOK] });
  });

  it.each([
    [
      "prestart",
      { path: "/usr/bin/nvidia-container-runtime-hook", args: ["nvidia-container-runtime-hook", "prestart"] },
    ],
    ["prestart", { path: "/opt/nvidia-container-toolkit" }],
    ["createRuntime", { path: "/usr/local/bin/nvoci", args: ["nvoci", "hook", "createRuntime"] }],
    ["createContainer", { path: "/usr/bin/nvidia-container-runtime-hook" }],
    ["prestart", HOOK],
  ])("is not added if one is registered at %s: %j", (stage, entry) => {
    expect(edit({ hooks: { [stage]: [other, entry] } }).hooks).toEqual({ [stage]: [other, entry] });
  });

  it.each([
    { path: "/usr/bin/nvidia-ctk", args: ["nvidia-ctk", "hook", "x"] },
    { path: "/usr/bin/nvidia-container-runtime-hook.sh" },
    {},
  ])("is added next to %j", (entry) => {
    expect(edit({ hooks: { prestart: [entry] } }).hooks.prestart).toHaveLength(2);
  });
});

describe("editSpec()", () => {
  it("changes nothing the second time, to the last character", () => {
    for (const indent of [undefined, 2, "\t"]) {
      const text = JSON.stringify({ ...BASE, linux: { resources: {} } }, null, indent);
      const once = editText(text, { deviceNodes: [node("/dev/x", { gid: 44, fileMode: 0o660 })] });
      expect(once).not.toBe(text);
      expect(editText(once, { deviceNodes: [node("/dev/x", { gid: 44, fileMode: 0o660 })] })).toBe(once);
    }
  });

  it("keeps integers beyond the range of a JavaScript number", () => {
    const text = `{"process":{"env":[],"rlimits":[{"hard":18446744073709551615}]},"root":{"path":"r"},"linux":{"resources":{"memory":{"limit":9223372036854771713}}}}`;
    const edited = editText(text);
    expect(edited).toContain('"hard":18446744073709551615');
    expect(edited).toContain('"limit":9223372036854771713');
  });

  it.each([
    { linux: { resources: [] } },
    { linux: { resources: { devices: {} } } },
    { hooks: [] },
    { hooks: { prestart: [7] } },
    { process: { env: [], user: "root" } },
    { process: { env: [], user: { additionalGids: 4 } } },
  ])("refuses %j", (config) => {
    expect(catchError(() => edit(config))).toMatchObject({ code: "spec-invalid" });
  });
});
