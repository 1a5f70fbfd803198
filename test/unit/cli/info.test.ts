import { describe, expect, it } from "vitest";
import { VERSION } from "../../../src/version.ts";
import { commandContext } from "../../support/cli/command-context.ts";
import { runWords } from "../../support/cli/run-words.ts";

const info = (tree: string): Record<string, string> => {
  const context = commandContext({ tree });
  expect(runWords(["info"], context)).toBe(0);
  return Object.fromEntries(context.printed.map((line) => line.split(/ {2,}/)));
};

describe("nvoci info", () => {
  it("prints version, engine and architecture", () => {
    expect(info("")).toMatchObject({ nvoci: VERSION, engine: "Node.js", architecture: "x64" });
  });

  it("prints a Jetson's release and manifest directory", () => {
    const told = info(
      'file /etc/nv_tegra_release = "# R35 (release), REVISION: 4.1, GCID: 1, BOARD: t186ref\\n"',
    );
    expect(told.platform).toContain("35.4.1");
    expect(told.manifests).toContain("/host-files-for-container.d");
    expect(told).not.toHaveProperty("driver");
  });

  it("does not invent a release", () => {
    expect(info('file /etc/nv_tegra_release = "?"').platform).not.toMatch(/\d\./);
  });

  it("prints a server's driver", () => {
    const version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.86.05  Fri Jul 14 20:46:33 UTC 2023";
    expect(info(`file /proc/driver/nvidia/version = "${version}\\n"`).driver).toBe("535.86.05");
    expect(info("").driver).not.toMatch(/\d/);
  });

  it("prints the configuration file", () => {
    const file = "/etc/nvidia-container-runtime/config.toml";
    expect(info(`file ${file}`).configuration).toBe(file);
    expect(info("").configuration).not.toContain("/");
  });
});
