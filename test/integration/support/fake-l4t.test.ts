import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { FakeHost } from "../../../fixtures/host/fake-host.ts";
import { createFakeL4t, MANIFEST_DIRECTORY, ORIN_MANIFEST } from "../../../fixtures/host/fake-l4t.ts";
import type { PrivateNamespace } from "../../../fixtures/run/private-namespace.ts";
import { describeNeeding } from "../../support/engines/prerequisites.ts";
import { snapshotMounts } from "../../support/host/snapshot.ts";

const LIBRARIES = "/usr/lib/aarch64-linux-gnu";

describeNeeding(["root", "namespaces", "overlayfs"], "a fake L4T host", () => {
  let host: FakeHost;
  let namespace: PrivateNamespace;
  const before = snapshotMounts();

  beforeAll(async () => {
    host = createFakeL4t({ manifests: { "l4t.csv": ORIN_MANIFEST } });
    namespace = await host.open();
  });
  afterAll(() => {
    namespace?.close();
    host?.remove();
  });

  const sh = (script: string) => namespace.run(["sh", "-c", script]);

  it("shows the manifest's files in place of the real ones", () => {
    expect(sh(`cat ${MANIFEST_DIRECTORY}/l4t.csv`).stdout).toBe(ORIN_MANIFEST);
    expect(sh("cat /etc/nv_tegra_release").stdout).toContain("R36 (release), REVISION: 4.3");
    expect(sh(`readlink ${LIBRARIES}/nvidia/libcuda.so`).stdout).toBe("libcuda.so.1\n");
    expect(sh(`readlink -f ${LIBRARIES}/tegra/libcuda.so`).stdout).toBe(
      `${LIBRARIES}/nvidia/libcuda.so.1.1\n`,
    );
    expect(sh("cat /lib/firmware/tegra23x/below/second").stdout).toContain("content of");
    expect(sh("ls /usr/bin/env /etc/passwd /dev/null /dev/pts/ptmx").status).toBe(0);
  });

  it("has shared objects that ldconfig lists by their SONAME", () => {
    const listed = sh(
      `cp -a ${LIBRARIES}/nvidia /tmp/$$ && ldconfig -X -C /tmp/$$/cache /tmp/$$ && ldconfig -C /tmp/$$/cache -p; rm -r /tmp/$$`,
    );
    expect(listed.stdout).toMatch(/libcuda\.so\.1 \(libc6,/);
  });

  it("has device nodes without a driver, which fail to open with ENXIO", () => {
    expect(sh("stat -c '%F %t %a' /dev/nvmap").stdout).toBe("character special file 3c 666\n");
    expect(sh("ls /dev/dri").stdout).toBe("card0\ncard1\n");
    expect(sh("cat /dev/nvmap").stderr).toContain("No such device or address");
  });

  it("does not change the real host", () => {
    expect(existsSync("/etc/nv_tegra_release")).toBe(false);
    expect(existsSync(`${LIBRARIES}/nvidia`)).toBe(false);
    expect(snapshotMounts()).toEqual(before);
  });

  it("reports what was written to it", () => {
    expect(host.changes()).toEqual([]);
    expect(sh("echo x > /etc/canary").status).toBe(0);
    expect(host.changes()).toEqual(["/etc/canary"]);
    expect(existsSync("/etc/canary")).toBe(false);
  });

  it("lacks every third entry when requested", async () => {
    const lines = ["lib, /opt/a/one", "lib, /opt/a/two", "lib, /opt/a/three", "lib, /opt/a/four"].join("\n");
    const poor = createFakeL4t({ manifests: { "l4t.csv": lines }, lacking: true, release: null });
    const inside = await poor.open();
    try {
      expect(inside.run(["ls", "/opt/a"]).stdout).toBe("four\none\ntwo\n");
    } finally {
      inside.close();
      poor.remove();
    }
  });

  it("has only cgroup v2 when requested", async () => {
    const inside = await host.open({ cgroup: "v2" });
    try {
      expect(inside.run(["stat", "-f", "-c", "%T", "/sys/fs/cgroup"]).stdout).toBe("cgroup2fs\n");
    } finally {
      inside.close();
    }
  });
});
