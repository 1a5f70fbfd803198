import { describe, expect, it } from "vitest";
import { commandContext } from "../../support/cli/command-context.ts";
import { runWords } from "../../support/cli/run-words.ts";
import { ALL_LINKS, ALL_NODES, BARE_SERVER } from "../../support/host/bare-server.ts";

function run(tree: readonly string[], ...words: readonly string[]) {
  const context = commandContext({ tree });
  const status = runWords(["system", "create-device-nodes", ...words], context);
  return { status, printed: context.printed };
}

describe("nvoci system create-device-nodes", () => {
  it("prints each action of a dry run on its own line", () => {
    const { status, printed } = run([...BARE_SERVER, ...ALL_NODES], "--dry-run");
    expect(status).toBe(0);
    expect(printed).toContain("would create link /dev/char/507:0 -> ../nvidia-uvm");
    expect(printed.join()).not.toContain("would create device");
  });

  it("reports that there is nothing to do", () => {
    const tree = [...BARE_SERVER, ...ALL_NODES, ...ALL_LINKS];
    expect(run(tree, "--dry-run")).toEqual({ status: 0, printed: ["Nothing to do."] });
    expect(run([...BARE_SERVER, ...ALL_NODES], "--dry-run", "--no-dev-char")).toMatchObject({ status: 0 });
  });

  it("fails with one line when the driver is not loaded and may not be", () => {
    const tree = BARE_SERVER.filter((line) => !/\/sys\/module|\/proc\/driver/.test(line));
    const { status, printed } = run(tree, "--dry-run", "--no-load-kmods");
    expect(status).toBe(1);
    expect(printed).toEqual([expect.stringMatching(/^warning: .*not loaded/)]);
    expect(run(tree, "--dry-run").printed).toContain("would load kernel module nvidia");
  });

  it("reads the driver's root from the configuration", () => {
    const nodes = ALL_NODES.map((line) => line.replace("/dev/", "/run/driver/dev/")).slice(0, 5);
    const config = 'file /etc/x.toml = "[nvidia-container-cli]\\nroot = \\"/run/driver\\"\\n"';
    const { printed } = run(
      [...BARE_SERVER, ...nodes, config],
      "--dry-run",
      "--no-dev-char",
      "--config=/etc/x.toml",
    );
    expect(printed).toEqual(["would create device /run/driver/dev/nvidia1 (c 195:1, mode 0666, owner 0:0)"]);
  });
});
