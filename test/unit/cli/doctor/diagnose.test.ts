import { describe, expect, it } from "vitest";
import { diagnose } from "../../../../src/cli/doctor/diagnose.ts";
import { NvociError } from "../../../../src/model/errors.ts";
import { finding } from "../../../../src/model/finding.ts";
import { containerPath, hostPath } from "../../../../src/model/paths.ts";
import type { Operation } from "../../../../src/plan/operation.ts";
import { PROC_SUPER_MAGIC } from "../../../../src/sys/constants.ts";
import { EBADF, EPERM } from "../../../../src/sys/errno.ts";
import { Fd, type Stat } from "../../../../src/sys/syscalls.ts";
import { SystemError } from "../../../../src/sys/system-error.ts";
import { type ContextOptions, commandContext } from "../../../support/cli/command-context.ts";
import { runWords } from "../../../support/cli/run-words.ts";

const D = "/etc/nvidia-container-runtime/host-files-for-container.d";
const ELF = `\u007fELF\u0002\u0001\u0001${"\u0000".repeat(11)}\u003e${"\u0000".repeat(45)}`;

const HOST = [
  "file /usr/sbin/runc",
  'file /proc/self/mountinfo = "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\\n"',
];
const JETSON = [
  ...HOST,
  'file /etc/nv_tegra_release = "# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic\\n"',
  `file ${D}/l4t.csv = "lib, /n/libcuda.so.1.1\\nlib, /b\\noops\\n"`,
  `file ${D}/cuda.csv = "lib, /cuda\\n"`,
  `file /n/libcuda.so.1.1 = ${JSON.stringify(ELF)}`,
  `file /n/libnvrm_gpu.so = ${JSON.stringify(ELF)}`,
];

const node = (path: string): Operation => ({
  op: "bind-device",
  hostPath: hostPath(path),
  path: containerPath(path),
  type: "c",
  major: 10,
  minor: 50,
  fileMode: 0o666,
  source: "l4t.csv:1",
});
const library = (path: string): Operation => ({
  op: "bind-file",
  hostPath: hostPath(path),
  path: containerPath(path),
  options: [],
  source: "l4t.csv:1",
});
const NODES = [node("/dev/nvmap"), node("/dev/nvgpu/igpu-0000:01:00.0/ctrl")];
const LIBRARIES = [library("/n/libcuda.so.1.1"), library("/n/libnvrm_gpu.so")];

const probe = () => {
  throw new SystemError("probe", [], -EBADF);
};
const context = (options: ContextOptions) =>
  commandContext({
    ...options,
    system: {
      openat2: probe,
      open_tree: probe,
      mount_setattr: probe,
      geteuid: () => 1000,
      statx: () => undefined,
      ...options.system,
    },
  });
const MISSING = finding("entry-missing", "info", "l4t.csv:2", { type: "lib", path: "/b" });
const HEALTHY: ContextOptions = {
  tree: JETSON,
  decision: { operations: [...NODES, ...LIBRARIES], findings: [MISSING] },
};
const failed = (options: ContextOptions) =>
  diagnose(context(options), undefined)
    .filter(({ status }) => status === "fail")
    .map(({ code }) => code);

describe("diagnose()", () => {
  it("finds no failure on a board with its driver", () => {
    expect(failed(HEALTHY)).toEqual([]);
    expect(diagnose(context(HEALTHY), undefined)).toContainEqual(
      expect.objectContaining({ code: "plan-made", args: { operations: 4 } }),
    );
  });

  it("reports a server without a driver once, though planning fails too", () => {
    const decision = () => {
      throw new NvociError("platform-unsupported", "no driver");
    };
    expect(failed({ tree: HOST, decision })).toEqual(["driver-missing"]);
  });

  it("distinguishes a driver that is not loaded from one that is not installed", () => {
    const modules = (text: string) => [
      ...HOST,
      'file /proc/sys/kernel/osrelease = "6.1.0\\n"',
      `file /lib/modules/6.1.0/modules.dep = ${JSON.stringify(text)}`,
    ];
    expect(failed({ tree: modules("updates/dkms/nvidia.ko: x\n") })).toContain("driver-missing");
    expect(failed({ tree: modules("updates/dkms/nvidia.ko.zst:\n") })).toContain("driver-missing");
    expect(failed({ tree: modules("kernel/drivers/usb/nvidia-dock.ko:\n") })).toContain("driver-absent");
  });

  it("counts the entries of each manifest and names those missing on the host", () => {
    const checks = diagnose(context(HEALTHY), undefined);
    expect(checks.filter(({ code }) => code === "manifest")).toMatchObject([
      { status: "ok", args: { file: "l4t.csv", found: 1, missing: ["lib, /b"] } },
    ]);
  });

  it("warns about bad lines once for each file, and lists skipped manifests", () => {
    const checks = diagnose(context(HEALTHY), undefined);
    expect(checks).toContainEqual(
      expect.objectContaining({
        code: "manifest-lines",
        status: "warn",
        args: expect.objectContaining({ file: `${D}/l4t.csv`, count: 1 }),
      }),
    );
    expect(checks.filter(({ code }) => code === "finding")).toMatchObject([
      { status: "ok", args: { finding: { code: "manifest-skipped-not-base", source: "cuda.csv" } } },
    ]);
  });

  it.each([
    [
      "an empty libcuda",
      "library-empty",
      JETSON.map((line) => (line.startsWith("file /n/libcuda") ? "file /n/libcuda.so.1.1" : line)),
    ],
    [
      "a libcuda for another machine",
      "library-damaged",
      JETSON.map((line) => (line.startsWith("file /n/libcuda") ? line.replace(">", "\\u00b7") : line)),
    ],
    [
      "a libcuda that is text",
      "library-damaged",
      JETSON.map((line) => (line.startsWith("file /n/libcuda") ? 'file /n/libcuda.so.1.1 = "<html>"' : line)),
    ],
  ])("fails for %s", (_, code, tree) => {
    expect(failed({ ...HEALTHY, tree })).toEqual([code]);
  });

  it.each([
    ["libraries", NODES, ["library-missing", "library-unlisted"]],
    ["nodes", LIBRARIES, ["node-missing", "node-missing"]],
  ])("fails for a container without %s", (_, operations, codes) => {
    expect(failed({ ...HEALTHY, decision: { operations } })).toEqual(codes);
  });

  it.each([
    [
      "an unreadable configuration",
      "config-invalid",
      { tree: [...JETSON, 'file /etc/nvidia-container-runtime/config.toml = "["'] },
    ],
    [
      "a board without manifests",
      "manifests-none",
      { ...HEALTHY, tree: JETSON.filter((line) => !line.includes(D)) },
    ],
    [
      "a host without cgroups",
      "cgroup-none",
      { ...HEALTHY, tree: JETSON.filter((line) => !line.includes("cgroup2")) },
    ],
    [
      "a plan that fails",
      "plan-impossible",
      {
        tree: JETSON,
        decision: () => {
          throw new NvociError("request-invalid", "Cannot do it");
        },
      },
    ],
  ] satisfies [string, string, ContextOptions][])("fails for %s", (_, code, options) => {
    expect(failed(options)).toContain(code);
  });

  it("looks for manifests on a server that is configured to use them", () => {
    const config = '"[nvidia-container-runtime]\\nmode = \\"csv\\""';
    const tree = [...HOST, `file /c.toml = ${config}`];
    const codes = diagnose(context({ tree }), "/c.toml").map(({ code }) => code);
    expect(codes).toContain("manifests-none");
    expect(codes).not.toContain("driver-missing");
  });

  it("warns a user who is not root, and leaves out the trial", () => {
    const checks = diagnose(context(HEALTHY), undefined);
    expect(checks.map(({ status, code }) => `${status} ${code}`)).toEqual(
      expect.arrayContaining(["warn not-root", "ok trial-skipped"]),
    );
  });

  it("fails for a trial that the kernel refuses", () => {
    const refuse = () => {
      throw new SystemError("openat", [], -EPERM);
    };
    const system = { geteuid: () => 0, getrlimit: () => 1, prlimit64: () => {}, openat: refuse };
    expect(failed({ ...HEALTHY, system })).toEqual(["trial-failed"]);
  });

  it("leaves out the trial where root may not make a mount namespace", () => {
    const refuse = () => {
      throw new SystemError("unshare", [], -EPERM);
    };
    const opened = () => new Fd(3, "/");
    const statx = () => ({ type: "directory" }) as Stat;
    const fstatfs = () => ({ type: PROC_SUPER_MAGIC, flags: 0 });
    const system = { geteuid: () => 0, openat: opened, statx, fstatfs, unshare: refuse };
    const checks = diagnose(context({ ...HEALTHY, system }), undefined);
    expect(checks.map(({ status, code }) => `${status} ${code}`)).toContain("ok trial-skipped");
    expect(failed({ ...HEALTHY, system })).toEqual([]);
  });

  it("does not report a bug as a problem of the host", () => {
    const decision = () => {
      throw new TypeError("bug");
    };
    expect(() => diagnose(context({ tree: JETSON, decision }), undefined)).toThrow(TypeError);
  });
});

describe("nvoci doctor", () => {
  it("ends with one summary line, and status 0 or 1", () => {
    const [healthy, sick] = [context(HEALTHY), context({ tree: JETSON })];
    expect(runWords(["doctor"], healthy)).toBe(0);
    expect(healthy.printed.at(-1)).toMatch(/^healthy: /);
    expect(runWords(["doctor"], sick)).toBe(1);
    expect(sick.printed.at(-1)).toMatch(/^not healthy: \d problems, /);
  });

  it("names missing files only with --verbose", () => {
    const [short, long] = [context(HEALTHY), context(HEALTHY)];
    runWords(["doctor"], short);
    runWords(["doctor", "--verbose"], long);
    expect(short.printed.join("\n")).not.toContain("lib, /b");
    expect(long.printed.join("\n")).toContain("lib, /b");
  });
});
