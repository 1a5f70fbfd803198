import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBareContainer } from "../support/engines/bare-container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { installLinks } from "../support/engines/wrapper.ts";
import { askingBundle, type Jetson, openJetson } from "../support/host/jetson.ts";

describeBuilds([...CONTAINER, "strace"], "a hook that ends early", (build) => {
  let jetson: Jetson;
  beforeAll(async () => {
    jetson = await openJetson();
  });
  afterAll(() => jetson?.close());
  const hook = [build.path, "hook", "prestart"];

  // These are the calls that change the image's files.
  it.each([
    "renameat2",
    "unlinkat",
    "write",
    "socketpair",
  ])("by a signal at any %s leaves a cache, and the next start removes its leftovers", async (call) => {
    const bundle = askingBundle(build);
    const etc = join(bundle.rootfs, "etc");
    try {
      for (let when = 1, killed = true; killed; when++) {
        const container = await openBareContainer(bundle, jetson.place);
        const inject = `inject=${call}:signal=SIGKILL:when=${when}`;
        const { status } = container.runHook(["strace", "-qq", "-o", "/dev/null", "-e", inject, ...hook]);
        killed = status !== 0;
        expect(existsSync(join(etc, "ld.so.cache")), `${call} #${when}`).toBe(true);
        container.close();
        expect(when).toBeLessThan(100);
      }
      expect(readdirSync(etc).filter((name) => name.startsWith(".nvoci-cache"))).toEqual([]);
    } finally {
      bundle.remove();
    }
  });

  it("does not kill the wrapper where files may not grow, nor change the runtime's signals", () => {
    const bundle = askingBundle(build);
    const wrapper = installLinks(build, join(bundle.directory, "bin"));
    const runtime = join(bundle.directory, "runtime");
    writeFileSync(runtime, "#!/bin/sh\ngrep SigIgn /proc/self/status\n", { mode: 0o755 });
    const config = join(bundle.directory, "config.toml");
    writeFileSync(config, `[nvidia-container-runtime]\nruntimes = ["${runtime}"]\n`);
    const file = join(bundle.directory, "config.json");
    writeFileSync(file, JSON.stringify(bundle.config));
    const create = (limit: string) =>
      jetson.place.run(
        ["sh", "-c", `ulimit -f ${limit}; exec "$@"`, "sh", wrapper, "create", "-b", bundle.directory, "c"],
        { env: { NVIDIA_CTK_CONFIG_FILE_PATH: config, PATH: "/usr/bin:/bin" } },
      );
    try {
      const before = readFileSync(file, "utf8");
      const { status, stderr } = create("0");
      expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("EFBIG") });
      expect(readFileSync(file, "utf8")).toBe(before);
      expect(readdirSync(bundle.directory).filter((name) => name.includes(".nvoci-"))).toEqual([]);
      const { stdout } = create("unlimited");
      expect(readFileSync(file, "utf8")).not.toBe(before);
      // Node.js itself ignores both signals.
      if (build.name === "native") expect(stdout).toMatch(/^SigIgn:\s+0+\n$/);
    } finally {
      bundle.remove();
    }
  });

  it("because files may not grow rolls everything back", async () => {
    const bundle = askingBundle(build);
    const container = await openBareContainer(bundle, jetson.place);
    try {
      const before = container.snapshot();
      const { status, stderr } = container.runHook(["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", ...hook]);
      expect(status).toBe(1);
      expect(stderr).toContain("nvoci: Cannot update");
      expect(container.snapshot()).toEqual(before);
    } finally {
      container.close();
      bundle.remove();
    }
  });
});
