import { expect, it } from "vitest";
import { runContainer } from "../../fixtures/run/container.ts";
import { hookEntry } from "../support/build/builds.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { askingBundle, openJetson } from "../support/host/jetson.ts";

/** The soft limit of services that systemd starts, and so of their hooks. */
const OPEN_FILES = 1024;

describeBuilds(CONTAINER, "a manifest", (build) => {
  it("can list files in more directories than a process can have open files", async () => {
    const paths = Array.from({ length: OPEN_FILES + 200 }, (_, index) => `/opt/made-up/${index}/file`);
    const jetson = await openJetson({
      manifests: { "l4t.csv": paths.map((path) => `lib, ${path}\n`).join("") },
    });
    const limited = ["/usr/bin/prlimit", `--nofile=${OPEN_FILES}:`, build.path, "hook", "prestart"];
    const bundle = askingBundle(build, { hooks: { prestart: [hookEntry(limited)] } });
    try {
      const { stdout, stderr } = runContainer(bundle, ["find", "/opt/made-up", "-type", "f"], jetson.place);
      expect(stderr).toBe("");
      expect(stdout.trimEnd().split("\n").sort()).toEqual(paths.sort());
    } finally {
      bundle.remove();
      jetson.close();
    }
  });
});
