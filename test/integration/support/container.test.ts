import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { type Bundle, type BundleOptions, makeBundle } from "../../../fixtures/bundle.ts";
import { createContainer, runContainer } from "../../../fixtures/run/container.ts";
import { CGROUP_V2_ONLY, openNamespace } from "../../../fixtures/run/private-namespace.ts";
import { temporaryDirectory } from "../../../fixtures/run/temporary-directory.ts";
import { hookEntry } from "../../support/build/builds.ts";
import { CONTAINER, describeNeeding } from "../../support/engines/prerequisites.ts";
import { applyLayout, hostileLayouts } from "../../support/host/hostile-layouts.ts";
import { snapshotMounts, snapshotTree } from "../../support/host/snapshot.ts";

const NODE = { path: "/dev/local", type: "c", major: 60, minor: 7 };

describeNeeding(CONTAINER, "a container of the test support", () => {
  const made: { remove(): void }[] = [];
  afterEach(() => {
    for (const thing of made.splice(0)) thing.remove();
  });
  const bundleOf = (options?: BundleOptions): Bundle => {
    const bundle = makeBundle(options);
    made.push(bundle);
    return bundle;
  };

  it.each(["busybox", "alpine", "debian"] as const)("runs a command in a %s image", (rootfs) => {
    const bundle = bundleOf({ rootfs, env: ["NAME=value"] });
    expect(runContainer(bundle, ["sh", "-c", "echo $NAME; exit 3"])).toEqual({
      status: 3,
      stdout: "value\n",
      stderr: "",
    });
  });

  it("has a loader and a cache in a debian image", () => {
    const result = runContainer(bundleOf(), ["sh", "-c", "/usr/bin/true && ldconfig -p"]);
    expect(result.stdout).toContain("libc.so.6 ");
  });

  it.each(["prestart", "createRuntime"])("runs a %s hook with the state on its stdin", (stage) => {
    const stub = temporaryDirectory("stub");
    made.push(stub);
    const seen = join(stub.path, "seen");
    writeFileSync(join(stub.path, "hook"), `#!/bin/sh\ncat > ${seen}\n`);
    chmodSync(join(stub.path, "hook"), 0o755);
    const bundle = bundleOf({ hooks: { [stage]: [hookEntry([join(stub.path, "hook")])] } });
    expect(runContainer(bundle, ["true"]).status).toBe(0);
    expect(JSON.parse(readFileSync(seen, "utf8"))).toMatchObject({ bundle: bundle.directory });
  });

  it("fails with the hook's output when a hook fails", () => {
    const hook = hookEntry(["/bin/sh", "-c", "echo no such thing >&2; exit 1"]);
    const result = runContainer(bundleOf({ hooks: { prestart: [hook] } }), ["true"]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("no such thing");
  });

  it("can be inspected between its creation and its end", () => {
    const bundle = bundleOf();
    const mounts = snapshotMounts();
    const container = createContainer(bundle);
    try {
      container.start();
      expect(container.exec(["echo", "x"]).stdout).toBe("x\n");
      expect(snapshotMounts(container.pid).some((line) => line.startsWith("/dev/shm "))).toBe(true);
      expect(snapshotMounts()).toEqual(mounts);
    } finally {
      container.delete();
    }
  });

  it("can open a listed device and no other, with cgroup v1 or both", () => {
    const script = "mknod /tmp/n c 60 8; cat /dev/local; cat /tmp/n";
    const { stderr } = runContainer(bundleOf({ devices: [NODE] }), ["sh", "-c", script]);
    expect(stderr).toContain("/dev/local': No such device or address");
    expect(stderr).toContain("/tmp/n': Operation not permitted");
  });

  it("can open a listed device and no other, with cgroup v2 alone", async () => {
    const place = await openNamespace(CGROUP_V2_ONLY);
    const script = "mknod /tmp/n c 60 8; cat /dev/local; cat /tmp/n";
    const { stderr } = runContainer(bundleOf({ devices: [NODE] }), ["sh", "-c", script], place);
    place.close();
    expect(stderr).toContain("/dev/local': No such device or address");
    expect(stderr).toContain("/tmp/n': Operation not permitted");
  });

  it("runs in a user namespace, and with a read-only root", () => {
    const user = runContainer(bundleOf({ userNamespace: true }), ["cat", "/proc/self/uid_map"]);
    expect(user.stdout.trim().split(/\s+/)).toEqual(["0", "100000", "65536"]);
    expect(runContainer(bundleOf({ readonlyRoot: true }), ["touch", "/etc/x"]).stderr).toContain("Read-only");
  });

  it("can have a hostile layout that leaves the canary unchanged", () => {
    const canary = temporaryDirectory("canary");
    made.push(canary);
    mkdirSync(join(canary.path, "lib"));
    writeFileSync(join(canary.path, "secret"), "secret");
    const before = snapshotTree(canary.path);
    for (const layout of hostileLayouts(canary.path).filter(({ runcFollows }) => runcFollows !== true)) {
      const bundle = bundleOf({ rootfs: "busybox" });
      applyLayout(bundle.rootfs, layout);
      runContainer(bundle, ["sh", "-c", `echo x > ${canary.path}/secret`]);
    }
    expect(before).toHaveLength(3);
    expect(snapshotTree(canary.path)).toEqual(before);
    writeFileSync(join(canary.path, "secret"), "Secret");
    expect(snapshotTree(canary.path)).not.toEqual(before);
  });

  it("leaves no cgroup behind", () => {
    runContainer(bundleOf(), ["true"]);
    const leftovers = ["devices", "unified", ""].map(
      (name) => `/sys/fs/cgroup/${name}/nvoci-test-${process.pid}-1`,
    );
    expect(leftovers.filter((path) => existsSync(path))).toEqual([]);
  });
});
