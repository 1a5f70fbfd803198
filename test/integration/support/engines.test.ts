import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeRootfs } from "../../../fixtures/rootfs.ts";
import { openNamespace, type PrivateNamespace } from "../../../fixtures/run/private-namespace.ts";
import { temporaryDirectory } from "../../../fixtures/run/temporary-directory.ts";
import { startDocker } from "../../support/engines/docker.ts";
import { runPodman } from "../../support/engines/podman.ts";
import { CONTAINER, describeNeeding, missing } from "../../support/engines/prerequisites.ts";
import { snapshotMounts } from "../../support/host/snapshot.ts";

const made = temporaryDirectory("engines");
const rootfs = join(made.path, "rootfs");
let place: PrivateNamespace;

beforeAll(async () => {
  if (missing(CONTAINER) !== undefined) return;
  mkdirSync(rootfs);
  makeRootfs(rootfs, "busybox");
  place = await openNamespace();
});
afterAll(() => {
  place?.close();
  made.remove();
});

describeNeeding([...CONTAINER, "dockerd"], "startDocker()", () => {
  it("runs containers and leaves no mount behind", async () => {
    const before = snapshotMounts();
    const engine = await startDocker(place, { config: { features: { buildkit: true } } });
    try {
      engine.importImage("image", rootfs);
      const result = engine.run("image", ["sh", "-c", "echo $NAME; exit 4"], ["--env=NAME=value"]);
      expect(result).toMatchObject({ status: 4, stdout: "value\n" });
    } finally {
      await engine.close();
    }
    expect(snapshotMounts()).toEqual(before);
  });
});

describeNeeding([...CONTAINER, "podman"], "runPodman()", () => {
  it("runs a container with the hooks of a directory", () => {
    const hooks = join(made.path, "hooks");
    const seen = join(made.path, "seen");
    mkdirSync(hooks);
    const hook = { path: "/bin/sh", args: ["sh", "-c", `cat > ${seen}`], env: ["PATH=/bin"] };
    writeFileSync(
      join(hooks, "hook.json"),
      JSON.stringify({ version: "1.0.0", hook, when: { always: true }, stages: ["prestart"] }),
    );
    const options = { hooks, options: ["--env=NAME=value"] };
    expect(runPodman(place, rootfs, ["sh", "-c", "echo $NAME"], options).stdout).toBe("value\n");
    expect(JSON.parse(readFileSync(seen, "utf8"))).toHaveProperty("bundle");
  });
});
