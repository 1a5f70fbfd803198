import { describe, expect, it } from "vitest";
import { diagnose } from "../../../src/cli/diagnose.ts";
import { NvociError } from "../../../src/model/errors.ts";
import { finding } from "../../../src/model/finding.ts";
import { containerPath, hostPath } from "../../../src/model/paths.ts";
import type { Operation } from "../../../src/plan/operation.ts";
import { EBADF } from "../../../src/sys/errno.ts";
import { SystemError } from "../../../src/sys/system-error.ts";
import { type ContextOptions, commandContext } from "../../support/cli/command-context.ts";
import { runWords } from "../../support/cli/run-words.ts";

const D = "/etc/nvidia-container-runtime/host-files-for-container.d";

const HOST = [
  "file /usr/bin/nvidia-container-runtime-hook",
  "file /usr/sbin/runc",
  'file /proc/self/mountinfo = "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\\n"',
];
const JETSON = [
  ...HOST,
  'file /etc/nv_tegra_release = "# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic\\n"',
  `file ${D}/l4t.csv = "lib, /a\\nlib, /b\\noops\\n"`,
  `file ${D}/cuda.csv = "lib, /cuda\\n"`,
];

const NODE: Operation = {
  op: "bind-device",
  hostPath: hostPath("/dev/nvmap"),
  path: containerPath("/dev/nvmap"),
  type: "c",
  major: 10,
  minor: 50,
  fileMode: 0o666,
  source: "l4t.csv:1",
};

const probe = () => {
  throw new SystemError("probe", [], -EBADF);
};
const context = (options: ContextOptions) =>
  commandContext({
    ...options,
    system: { openat2: probe, open_tree: probe, mount_setattr: probe, ...options.system },
  });
const MISSING = finding("entry-missing", "info", "l4t.csv:2", { type: "lib", path: "/b" });
const HEALTHY: ContextOptions = { tree: JETSON, decision: { operations: [NODE], findings: [MISSING] } };

describe("diagnose()", () => {
  it("finds no problems on a Jetson with its driver", () => {
    const checks = diagnose(context(HEALTHY), undefined);
    expect(checks.filter(({ status }) => status === "fail")).toEqual([]);
    expect(checks).toContainEqual(expect.objectContaining({ code: "plan-made", args: { operations: 1 } }));
  });

  it("reports a server without a driver once, though planning fails too", () => {
    const decision = () => {
      throw new NvociError("platform-unsupported", "no driver");
    };
    const checks = diagnose(context({ tree: HOST, decision }), undefined);
    expect(checks.filter(({ status }) => status === "fail").map(({ code }) => code)).toEqual([
      "driver-missing",
    ]);
  });

  it("counts the entries of each manifest and names those missing on the host", () => {
    const checks = diagnose(context(HEALTHY), undefined);
    expect(checks.filter(({ code }) => code === "manifest")).toMatchObject([
      { status: "ok", args: { file: "l4t.csv", found: 1, missing: ["lib, /b"] } },
    ]);
  });

  it("lists skipped manifests and warns about unreadable lines", () => {
    const checks = diagnose(context(HEALTHY), undefined);
    expect(checks.filter(({ code }) => code === "finding")).toMatchObject([
      { status: "warn", args: { finding: { code: "manifest-line-malformed", source: "l4t.csv:3" } } },
      { status: "ok", args: { finding: { code: "manifest-skipped-not-base", source: "cuda.csv" } } },
    ]);
  });

  it("warns about a manifest whose entries are all missing on the host", () => {
    const first = finding("entry-missing", "info", "l4t.csv:1", { type: "lib", path: "/a" });
    const checks = diagnose(
      context({ ...HEALTHY, decision: { operations: [NODE], findings: [first, MISSING] } }),
      undefined,
    );
    expect(checks.find(({ code }) => code === "manifest")).toMatchObject({
      status: "warn",
      args: { found: 0 },
    });
  });

  it("warns about unknown keys in config.toml", () => {
    const tree = [...JETSON, 'file /etc/nvidia-container-runtime/config.toml = "bogus = 1"'];
    const codes = diagnose(context({ ...HEALTHY, tree }), undefined).filter(
      ({ status }) => status === "warn",
    );
    expect(codes).toContainEqual(
      expect.objectContaining({ args: { finding: expect.objectContaining({ code: "config-key-unknown" }) } }),
    );
  });

  it.each([
    [
      "an unreadable configuration",
      "config-invalid",
      { tree: [...JETSON, 'file /etc/nvidia-container-runtime/config.toml = "["'] },
    ],
    [
      "a Jetson without manifests",
      "manifests-none",
      { ...HEALTHY, tree: JETSON.filter((line) => !line.includes(D)) },
    ],
    ["a container without devices", "devices-none", { tree: JETSON }],
    ["a server whose driver is not loaded", "driver-missing", { tree: HOST }],
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
          throw new NvociError("driver-mismatch", "Cannot use the driver");
        },
      },
    ],
  ] satisfies [string, string, ContextOptions][])("fails for %s", (_, code, options) => {
    const failed = diagnose(context(options), undefined).filter(({ status }) => status === "fail");
    expect(failed.map((check) => check.code)).toContain(code);
  });

  it("reports a server's driver and reads no manifests for it", () => {
    const version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.86.05  Fri\n";
    const tree = [...HOST, `file /proc/driver/nvidia/version = ${JSON.stringify(version)}`];
    const checks = diagnose(context({ ...HEALTHY, tree }), undefined);
    expect(checks).toContainEqual({ code: "driver-loaded", status: "ok", args: { version: "535.86.05" } });
    expect(checks.map(({ code }) => code)).not.toContain("manifests-none");
  });

  it("looks for manifests on a server that is configured to use them", () => {
    const config = '"[nvidia-container-runtime]\\nmode = \\"csv\\""';
    const tree = [...HOST, `file /c.toml = ${config}`];
    const codes = diagnose(context({ tree }), "/c.toml").map(({ code }) => code);
    expect(codes).toContain("manifests-none");
    expect(codes).not.toContain("driver-missing");
  });

  it("warns a user who is not root", () => {
    const checks = diagnose(context({ ...HEALTHY, system: { geteuid: () => 1000 } }), undefined);
    expect(checks[0]).toMatchObject({ code: "not-root", status: "warn" });
  });

  it("does not report a bug as a problem of the host", () => {
    const decision = () => {
      throw new TypeError("bug");
    };
    expect(() => diagnose(context({ tree: JETSON, decision }), undefined)).toThrow(TypeError);
  });
});

describe("nvoci doctor", () => {
  it("ends with one summary line and status 0 on a healthy host, with or without warnings", () => {
    const healthy = context(HEALTHY);
    expect(runWords(["doctor"], healthy)).toBe(0);
    expect(healthy.printed.at(-1)).toMatch(/^healthy: /);
  });

  it("returns 1 when a check fails", () => {
    const sick = context({ tree: JETSON });
    expect(runWords(["doctor"], sick)).toBe(1);
    expect(sick.printed.at(-1)).toMatch(/^not healthy: 1 problem, /);
  });

  it("names missing files only with --verbose", () => {
    const [short, long] = [context(HEALTHY), context(HEALTHY)];
    runWords(["doctor"], short);
    runWords(["doctor", "--verbose"], long);
    expect(short.printed.join("\n")).not.toContain("lib, /b");
    expect(long.printed.join("\n")).toContain("lib, /b");
  });
});
