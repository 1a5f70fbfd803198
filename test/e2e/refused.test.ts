import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { runContainer } from "../../fixtures/run/container.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { serversOfEachTest } from "../support/engines/servers-of-each-test.ts";

describeBuilds([...CONTAINER, "gcc"], "a container that is refused", (build) => {
  const { open, ask } = serversOfEachTest(build);
  const { path: directory, remove } = temporaryDirectory("refused");
  afterAll(remove);

  it("leaves a log of all findings and the reason for the refusal", async () => {
    const log = join(directory, `${build.name}.log`);
    const config = `unknown-key = 1\n[nvidia-container-cli]\ndebug = "${log}"\n`;
    const server = await open({ modules: null, config });
    const { status } = runContainer(ask(), ["true"], server.place);
    expect(status).not.toBe(0);
    expect(existsSync(log)).toBe(true);
    const lines = readFileSync(log, "utf8").trimEnd().split("\n");
    // In the order of the phases: configuration, host and discovery, which refuses.
    expect(lines).toEqual([
      expect.stringMatching(/level=warning .*unknown-key/),
      expect.stringMatching(/level=warning .*the kernel module nvidia cannot be loaded: /),
      expect.stringMatching(/level=error .*its kernel modules are not loaded/),
    ]);
  });
});
