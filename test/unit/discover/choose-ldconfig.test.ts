import { describe, expect, it } from "vitest";
import { type Config, DEFAULT_CONFIG } from "../../../src/config/config.ts";
import { chooseLdconfig } from "../../../src/discover/choose-ldconfig.ts";
import type { LdconfigChoice } from "../../../src/model/container-edits.ts";
import { containerPath, hostPath } from "../../../src/model/paths.ts";
import type { HostView, ImageView } from "../../../src/model/views.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";
import { elfHead, PT_INTERP, PT_LOAD } from "../../support/host/elf-head.ts";
import { memoryHost } from "../../support/host/memory-host.ts";
import { memoryImage } from "../../support/host/memory-image.ts";

const STATIC = elfHead({ bits: 64, segments: [PT_LOAD] });
const DYNAMIC = elfHead({ bits: 64, segments: [PT_LOAD, PT_INTERP] });
const SCRIPT = new TextEncoder().encode("#!/bin/sh\nexec /sbin/ldconfig.real\n");

const WITHOUT = memoryImage('file /sbin/ldconfig 0755 = "#!/bin/sh"');
const WITH_OWN = memoryImage('file /sbin/ldconfig 0755 = "\\u007fELF"');

/** Allows programs of the image. */
const ALLOWED: Config = {
  ...DEFAULT_CONFIG,
  features: { ...DEFAULT_CONFIG.features, allowLdconfigFromContainer: true },
};

/** Returns the choice and the findings. */
function choose(host: HostView, config: Config, image: ImageView) {
  const { value: ldconfig, findings } = collectFindings((report) =>
    chooseLdconfig(host, image, config, report),
  );
  return { ldconfig, findings };
}

/** A host with programs below /sbin and links. */
function host(programs: Readonly<Record<string, Uint8Array>>, links: readonly string[] = []): HostView {
  const names = memoryHost([...Object.keys(programs).map((path) => `file ${path} 0755`), ...links]);
  return { ...names, readRange: (path, offset, length) => programs[path]?.slice(offset, offset + length) };
}

const configured = (ldconfig: LdconfigChoice, on = true): Config => ({
  ...DEFAULT_CONFIG,
  nvidiaContainerCli: { ...DEFAULT_CONFIG.nvidiaContainerCli, ldconfig },
  nvoci: { ...DEFAULT_CONFIG.nvoci, ldconfig: on },
});

describe("chooseLdconfig()", () => {
  it("prefers NAME.real to NAME, which is a script around it", () => {
    const programs = { "/sbin/ldconfig": SCRIPT, "/sbin/ldconfig.real": STATIC };
    expect(choose(host(programs), DEFAULT_CONFIG, WITH_OWN)).toEqual({
      ldconfig: { from: "host", path: "/sbin/ldconfig.real" },
      findings: [],
    });
  });

  it("uses the real path of NAME without a NAME.real", () => {
    const merged = host({ "/usr/sbin/ldconfig": STATIC }, ["symlink /sbin -> usr/sbin"]);
    expect(choose(merged, DEFAULT_CONFIG, WITH_OWN).ldconfig).toEqual({
      from: "host",
      path: "/usr/sbin/ldconfig",
    });
  });

  it("uses the program that config.toml names", () => {
    const config = configured({ from: "host", path: hostPath("/opt/ldconfig") });
    const programs = { "/opt/ldconfig": STATIC, "/sbin/ldconfig": STATIC };
    expect(choose(host(programs), config, WITH_OWN).ldconfig).toMatchObject({
      path: "/opt/ldconfig",
    });
  });

  it("never uses a dynamic program or script of the host, and reports it", () => {
    const programs = { "/sbin/ldconfig": SCRIPT, "/sbin/ldconfig.real": DYNAMIC };
    const { ldconfig, findings } = choose(host(programs), DEFAULT_CONFIG, WITHOUT);
    expect(ldconfig).toBeUndefined();
    expect(findings).toMatchObject([
      {
        code: "ldconfig-unusable",
        severity: "warning",
        args: { path: "/sbin/ldconfig.real", reason: "not-static" },
      },
      {
        code: "ldconfig-unusable",
        severity: "warning",
        args: { path: "/sbin/ldconfig", reason: "not-static" },
      },
    ]);
  });

  it("uses no program of the image unless the configuration allows it", () => {
    const { ldconfig, findings } = choose(host({ "/sbin/ldconfig": DYNAMIC }), DEFAULT_CONFIG, WITH_OWN);
    expect(ldconfig).toBeUndefined();
    expect(findings.map(({ code }) => code)).toEqual(["ldconfig-unusable"]);
  });

  it("uses the image's program if the host's is unusable and it is allowed, and reports it", () => {
    const { ldconfig, findings } = choose(host({ "/sbin/ldconfig": DYNAMIC }), ALLOWED, WITH_OWN);
    expect(ldconfig).toEqual({ from: "container", path: "/sbin/ldconfig" });
    expect(findings.map(({ code }) => code)).toEqual(["ldconfig-unusable", "ldconfig-container-own"]);
  });

  it("prefers the image's NAME.real to its NAME, which is a script around it", () => {
    const image = memoryImage(`
      file /sbin/ldconfig 0755 = "#!/bin/sh"
      file /usr/sbin/ldconfig.real 0755 = "\\u007fELF"
      symlink /sbin/ldconfig.real -> ../usr/sbin/ldconfig.real
    `);
    expect(choose(host({}), ALLOWED, image).ldconfig).toEqual({
      from: "container",
      path: "/sbin/ldconfig.real",
    });
  });

  it("uses the image's program if the configuration names it, whatever the host has", () => {
    const own = { from: "container", path: containerPath("/opt/ldconfig") } as const;
    const image = memoryImage("file /opt/ldconfig 0755");
    expect(choose(host({ "/sbin/ldconfig": STATIC }), configured(own), image)).toEqual({
      ldconfig: own,
      findings: [],
    });
  });

  it.each([
    ["no file", "dir /opt"],
    ["a directory", "dir /opt/ldconfig"],
    ["a dangling link", "symlink /opt/ldconfig -> /nowhere"],
  ])("uses the host's program if the image has %s where the configuration names its own", (_, tree) => {
    const own = { from: "container", path: containerPath("/opt/ldconfig") } as const;
    const { ldconfig, findings } = choose(
      host({ "/sbin/ldconfig": STATIC }),
      configured(own),
      memoryImage(tree),
    );
    expect(ldconfig).toEqual({ from: "host", path: "/sbin/ldconfig" });
    expect(findings).toMatchObject([{ code: "ldconfig-not-in-image", args: { path: "/opt/ldconfig" } }]);
  });

  it("returns none if neither has one, and does not follow a dangling link", () => {
    const dangling = host({}, ["symlink /sbin/ldconfig -> /nowhere"]);
    expect(choose(dangling, DEFAULT_CONFIG, WITHOUT)).toEqual({ ldconfig: undefined, findings: [] });
  });

  it("returns none if the configuration disables it", () => {
    const config = configured({ from: "host", path: hostPath("/sbin/ldconfig") }, false);
    expect(choose(host({ "/sbin/ldconfig": STATIC }), config, WITH_OWN)).toEqual({
      ldconfig: undefined,
      findings: [],
    });
  });
});
