import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { containerd } from "../../../../src/cli/configure/containerd.ts";
import type { Registration } from "../../../../src/cli/configure/engine-edit.ts";
import { hostPath } from "../../../../src/model/paths.ts";
import { catchError } from "../../../support/cli/catch-error.ts";
import { memoryHost } from "../../../support/host/memory-host.ts";

const PATH = hostPath("/usr/bin/nvidia-container-runtime");
const NVIDIA: Registration = { name: "nvidia", path: PATH, isDefault: false };
const DEFAULT: Registration = { ...NVIDIA, isDefault: true };
const HOST = memoryHost("");
const file = (text: string | undefined, backup?: string) => ({
  path: hostPath("/etc/containerd/config.toml"),
  text,
  backup,
});
const register = (text: string | undefined, registration = NVIDIA) =>
  containerd.register(file(text), registration, HOST);
const unregister = (text: string | undefined, backup?: string) =>
  containerd.unregister(file(text, backup), NVIDIA);

/** The runtimes' table as a parser reads it. */
function cri(text: string, plugin = "io.containerd.grpc.v1.cri"): Record<string, unknown> {
  const { plugins } = parse(text) as { plugins: Record<string, { containerd: Record<string, unknown> }> };
  return plugins[plugin]?.containerd ?? {};
}

const KUBERNETES = `# kept
version = 2
root = "/var/lib/containerd"   # kept too
imports = []

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    sandbox_image = "registry/pause:3.9"
    [plugins."io.containerd.grpc.v1.cri".containerd]
      default_runtime_name = "runc"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
        runtime_type = "io.containerd.runc.v2"
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
          SystemdCgroup = true
          BinaryName = "/usr/sbin/runc"
`;
const ENTRY = { runtime_type: "io.containerd.runc.v2", options: { BinaryName: PATH } };

describe("containerd.register()", () => {
  it("creates a missing file", () => {
    const text = register(undefined, DEFAULT);
    expect(parse(text)).toMatchObject({ version: 2 });
    expect(cri(text)).toEqual({
      default_runtime_name: "nvidia",
      runtimes: { nvidia: ENTRY, runc: { runtime_type: "io.containerd.runc.v2" } },
    });
  });

  it("copies the options of the default runtime, so the cgroup driver stays the same", () => {
    const { runtimes } = cri(register(KUBERNETES)) as { runtimes: Record<string, unknown> };
    expect(runtimes.nvidia).toEqual({
      runtime_type: "io.containerd.runc.v2",
      options: { SystemdCgroup: true, BinaryName: PATH },
    });
    expect(runtimes.runc).toMatchObject({ options: { BinaryName: "/usr/sbin/runc" } });
  });

  it("writes the type of runc's shim if the default runtime's is empty", () => {
    const { runtimes } = cri(register(KUBERNETES.replace('"io.containerd.runc.v2"', '""'))) as {
      runtimes: Record<string, unknown>;
    };
    expect(runtimes.nvidia).toMatchObject({ runtime_type: "io.containerd.runc.v2" });
    expect(runtimes.runc).toMatchObject({ runtime_type: "" });
  });

  it("keeps every existing line and the former default next to the new one", () => {
    const edited = register(KUBERNETES, DEFAULT);
    expect(cri(edited).default_runtime_name).toBe("nvidia");
    const lost = KUBERNETES.split("\n").filter((line) => !edited.split("\n").includes(line));
    expect(lost.map((line) => line.trim())).toEqual(['default_runtime_name = "runc"']);
    expect(register(KUBERNETES).startsWith(KUBERNETES)).toBe(true);
  });

  it("adds the default to an existing table that lacks one", () => {
    for (const header of [
      `[plugins."io.containerd.grpc.v1.cri".containerd]`,
      `[ plugins.'io.containerd.grpc.v1.cri'.containerd ] # x`,
    ]) {
      const text = `version = 2\n${header}\nsnapshotter = "overlayfs"\n`;
      expect(cri(register(text, DEFAULT))).toMatchObject({
        default_runtime_name: "nvidia",
        snapshotter: "overlayfs",
      });
    }
  });

  it("writes version 3 tables for containerd 2", () => {
    const edited = register("version = 3\n", DEFAULT);
    expect(cri(edited, "io.containerd.cri.v1.runtime")).toEqual({
      default_runtime_name: "nvidia",
      runtimes: { nvidia: ENTRY },
    });
  });

  it("changes nothing the second time and drops the default when it is not requested", () => {
    const once = register(KUBERNETES, DEFAULT);
    expect(register(once, DEFAULT)).toBe(once);
    expect(register(once, NVIDIA)).toBe(register(KUBERNETES, NVIDIA));
  });

  it("adds nothing to a runtime that already has the same program", () => {
    const given = `version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia.options]\nBinaryName = "${PATH}"\n`;
    expect(register(given)).toBe(given);
  });

  it.each([
    [
      "a runtime of that name with another program",
      `version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia.options]\nBinaryName = "/opt/x"\n`,
    ],
    ["version 1", "[plugins.cri]\n"],
    ["no version", 'root = "/x"\n'],
    ["an inline table", `version = 2\nplugins = { "io.containerd.grpc.v1.cri" = { containerd = {} } }\n`],
  ])("refuses a file with %s", (_, text) => {
    expect(catchError(() => register(text, DEFAULT))).toMatchObject({ code: "file-invalid" });
  });

  it("refuses a file that is not TOML and names the line", () => {
    const error = catchError(() => register("version = 2\n[plugins\n"));
    expect(error).toMatchObject({ message: expect.stringContaining("line 2") });
  });
});

describe("containerd.unregister()", () => {
  it.each([
    KUBERNETES,
    'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd]\n',
    "version = 3\n",
    "version = 2",
  ])("restores the text that register() changed: %j", (text) => {
    for (const registration of [NVIDIA, DEFAULT]) {
      expect(unregister(register(text, registration), text)?.trimEnd()).toBe(text.trimEnd());
    }
  });

  it("removes a file that register() created and no others", () => {
    expect(unregister(register(undefined, DEFAULT))).toBeUndefined();
    expect(unregister("version = 2\n")).toBe("version = 2\n");
    expect(unregister(undefined)).toBeUndefined();
  });

  it("keeps later additions", () => {
    const later = `${register(KUBERNETES, DEFAULT)}\n[debug]\nlevel = "info"\n`;
    expect(unregister(later, KUBERNETES)).toBe(`${KUBERNETES}\n[debug]\nlevel = "info"\n`);
  });
});

describe("containerd.dropIn()", () => {
  const MAIN = "/etc/containerd/config.toml";
  const DROP_IN = hostPath("/etc/containerd/conf.d/99-nvoci.toml");
  const PLUGIN = "io.containerd.cri.v1.runtime";
  const IMPORTS = 'imports = ["/etc/containerd/conf.d/*.toml"]';
  const host = (text: string) => memoryHost([`file ${MAIN} 0644 = ${JSON.stringify(text)}`]);

  it("is a separate file where containerd merges a directory into its configuration", () => {
    expect(containerd.dropIn?.(host(`version = 3\n${IMPORTS}\n`))).toBe(DROP_IN);
  });

  it.each([
    "",
    "version = 3\n",
    'version = 3\nimports = ["/etc/other/*.toml"]\n',
    `version = 2\n${IMPORTS}\n`,
    `version = 3\n${IMPORTS}\n\n# nvoci: begin, made by "nvoci configure containerd"\n# nvoci: end\n`,
  ])("is undefined for %j", (text) => {
    expect(containerd.dropIn?.(host(text))).toBeUndefined();
    expect(containerd.dropIn?.(HOST)).toBeUndefined();
  });

  it("has the main file's version and the options of its default runtime", () => {
    const table = `plugins."${PLUGIN}".containerd`;
    const runc = `[${table}.runtimes.runc]\nruntime_type = "x"\n[${table}.runtimes.runc.options]\nSystemdCgroup = true\n`;
    const main = host(`version = 3\n${IMPORTS}\n[${table}]\ndefault_runtime_name = "runc"\n${runc}`);
    const dropIn = { path: DROP_IN, text: undefined, backup: undefined };
    const text = containerd.register(dropIn, DEFAULT, main);
    expect(parse(text)).toMatchObject({ version: 3 });
    expect(cri(text, PLUGIN)).toEqual({
      default_runtime_name: "nvidia",
      runtimes: {
        nvidia: { runtime_type: "x", options: { SystemdCgroup: true, BinaryName: PATH } },
      },
    });
    expect(containerd.register({ ...dropIn, text }, DEFAULT, main)).toBe(text);
    expect(containerd.unregister({ ...dropIn, text }, NVIDIA)).toBeUndefined();
  });
});

describe("a block written by nvoci", () => {
  const cut = (text: string, line: string): string =>
    text
      .split("\n")
      .filter((one) => one !== line)
      .join("\n");

  it.each([
    "",
    "\n",
    "version = 2",
    "version = 2\n",
    "version = 2\n\n",
    "# a\nversion = 2\n# b",
  ])("is removed completely from %j", (text) => {
    const given = text.includes("version") ? text : `version = 2\n${text}`;
    expect(unregister(register(given), given)).toBe(given);
  });

  it("without its end marker prevents editing, so nothing below is lost", () => {
    const broken = `${cut(register(KUBERNETES), "# nvoci: end")}\n[debug]\nlevel = "info"\n`;
    for (const edit of [() => register(broken), () => unregister(broken, KUBERNETES)]) {
      expect(catchError(edit)).toMatchObject({
        code: "file-invalid",
        message: expect.stringMatching(/the block that begins in line \d+ has no end$/),
      });
    }
  });

  it.each([
    "# mine",
    '[debug]\nlevel = "info"   # mine',
    "# nvoci: begin",
  ])("is left alone after somebody added %j", (lines) => {
    const mixed = register(KUBERNETES).replace("# nvoci: end", `${lines}\n# nvoci: end`);
    expect(catchError(() => unregister(mixed, KUBERNETES)).message).toContain(
      "lines that nvoci did not write",
    );
  });
});
