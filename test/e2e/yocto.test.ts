import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Bundle, BundleOptions } from "../../fixtures/bundle.ts";
import { type FakeL4tOptions, yoctoEntries } from "../../fixtures/host/fake-l4t.ts";
import { sharedObject } from "../../fixtures/host/shared-object.ts";
import { TRIPLET } from "../../fixtures/rootfs.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { askingBundle, type Jetson, openJetson } from "../support/host/jetson.ts";

const PASS_THROUGH = "/usr/share/nvidia-container-passthrough";
const MULTIARCH = `/usr/lib/${TRIPLET}`;

/** As in meta-tegra: an empty first line, everything in /usr/lib, chains of links, plugins one level deeper. */
const MANIFEST = `
lib, /usr/lib/libnvmade.so.1.2
sym, /usr/lib/libnvmade.so.1
sym, /usr/lib/libnvmade.so
sym, /usr/lib/libabsolute.so
lib, /usr/lib/gstreamer-1.0/libgstnvmade.so
lib, /usr/share/made-up/data
lib, /usr/bin/made-up-program
`;

describeBuilds([...CONTAINER, "gcc"], "a Yocto host", (build) => {
  const made: (() => void)[] = [];
  afterEach(() => {
    for (const undo of made.splice(0).reverse()) undo();
  });
  const open = async (options: Partial<FakeL4tOptions> = {}): Promise<Jetson> => {
    const { more = [], ...rest } = options;
    const jetson = await openJetson({
      manifests: { "l4t.csv": MANIFEST },
      links: { "/usr/lib/libabsolute.so": "/usr/lib/libnvmade.so.1" },
      more: [...yoctoEntries(), ...more],
      ...rest,
    });
    made.push(jetson.close);
    return jetson;
  };
  const ask = (options?: BundleOptions): Bundle => {
    const bundle = askingBundle(build, options);
    made.push(bundle.remove);
    return bundle;
  };
  const sh = (jetson: Jetson, script: string, options?: BundleOptions) =>
    runContainer(ask(options), ["sh", "-c", script], jetson.place);

  it("has its libraries injected where a Debian image looks, and everything else at its own path", async () => {
    const jetson = await open();
    const script = `cd ${MULTIARCH}; for link in libnvmade.so.1 libnvmade.so libabsolute.so; do readlink $link; done
      ls libnvmade.so.1.2 gstreamer-1.0 /usr/share/made-up /usr/bin/made-up-program; ls /usr/lib`;
    const { stdout } = sh(jetson, script);
    expect(stdout.trim().split(/\s+/)).toEqual([
      "libnvmade.so.1.2",
      "libnvmade.so.1",
      `${MULTIARCH}/libnvmade.so.1`,
      "/usr/bin/made-up-program",
      "libnvmade.so.1.2",
      "/usr/share/made-up:",
      "data",
      "gstreamer-1.0:",
      "libgstnvmade.so",
      TRIPLET,
    ]);
  });

  it("has its libraries found by a Debian image's linker without ld.so.conf", async () => {
    const jetson = await open();
    const { path } = temporaryDirectory("program");
    made.push(() => mustRun(["rm", "-r", path]));
    // The program needs only the SONAME and calls nothing.
    writeFileSync(join(path, "libnvmade.so.1"), sharedObject("libnvmade.so.1"));
    writeFileSync(join(path, "program.c"), "int main(void) { return 7; }\n");
    const flags = ["-Wl,--no-as-needed", `-L${path}`, "-l:libnvmade.so.1"];
    mustRun(["gcc", "-o", join(path, "program"), join(path, "program.c"), ...flags]);
    const bundle = ask();
    mustRun(["cp", join(path, "program"), join(bundle.rootfs, "usr/bin/program")]);
    writeFileSync(join(bundle.rootfs, "etc/ld.so.conf"), "");
    expect(runContainer(bundle, ["program"], jetson.place)).toEqual({ status: 7, stdout: "", stderr: "" });
    // Without the hook the linker fails.
    const { hooks: _, ...config } = bundle.config;
    const bare = runContainer({ ...bundle, config }, ["program"], jetson.place);
    expect(bare.stderr).toContain("libnvmade.so.1");
  });

  it.each([
    "busybox",
    "alpine",
  ] as const)("has its libraries injected into /usr/lib of a %s image", async (rootfs) => {
    const jetson = await open();
    const script = "cd /usr/lib; readlink -f libabsolute.so; ls gstreamer-1.0; ls";
    const { stdout } = sh(jetson, script, { rootfs });
    expect(stdout).toContain("/usr/lib/libnvmade.so.1.2\nlibgstnvmade.so\n");
    expect(stdout).not.toContain(TRIPLET);
  });

  it("starts a musl image whose ldconfig is a script that fails", async () => {
    const jetson = await open();
    const bundle = ask({ rootfs: "alpine" });
    writeFileSync(join(bundle.rootfs, "sbin/ldconfig"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const inside = runContainer(bundle, ["readlink", "/usr/lib/libnvmade.so"], jetson.place);
    expect(inside).toEqual({ status: 0, stdout: "libnvmade.so.1\n", stderr: "" });
  });

  describe("with a pass-through tree", () => {
    const text = (content: string) => ({ content, mode: 0o644, kind: "file" as const });
    const both = [
      { ...text("of the tree"), path: `${PASS_THROUGH}/usr/share/made-up/data` },
      { ...text("of the host"), path: "/usr/share/made-up/data" },
      { ...text("of the tree"), path: `${PASS_THROUGH}${MULTIARCH}/nvidia/libtree.so.1` },
      { ...text("of the host"), path: "/usr/share/made-up/host" },
    ];
    const manifest = `lib, /usr/share/made-up/data\nlib, ${MULTIARCH}/nvidia/libtree.so.1\nlib, /usr/share/made-up/host\n`;

    it("prefers the tree's files, and falls back to the host's", async () => {
      const jetson = await open({ manifests: { "l4t.csv": manifest }, more: both });
      const script = `cat /usr/share/made-up/data ${MULTIARCH}/nvidia/libtree.so.1 /usr/share/made-up/host`;
      expect(sh(jetson, script).stdout).toBe("of the treeof the treeof the host");
    });

    it("does not show the tree itself to the container", async () => {
      const jetson = await open({ manifests: { "l4t.csv": manifest }, more: both });
      expect(sh(jetson, `ls -d ${PASS_THROUGH}`).status).not.toBe(0);
    });
  });

  it.each([
    "debian",
    "alpine",
  ] as const)("has the same files injected into a %s container with a read-only root", async (rootfs) => {
    const jetson = await open();
    const directory = rootfs === "debian" ? MULTIARCH : "/usr/lib";
    const script = `cat ${directory}/libnvmade.so.1 /usr/share/made-up/data | sha256sum; : > /usr/lib/x`;
    const writable = sh(jetson, script, { rootfs });
    const readonly = sh(jetson, script, { rootfs, readonlyRoot: true });
    expect(readonly.stdout).toBe(writable.stdout);
    expect(readonly.stderr).toContain("Read-only file system");
    expect(writable.stderr).toBe("");
  });

  it.each([
    ["32.7.6", "nvoci-l4t32-csv"],
    ["35.6.4", "tegra-configs-container-csv"],
    ["39.2.0", "tegra-configs-container-csv"],
  ])("of L4T %s without manifests is told by doctor to install %s", async (release, name) => {
    const opkg = { kind: "file", path: "/usr/bin/opkg", content: "#!/bin/sh\n", mode: 0o755 } as const;
    const jetson = await open({ manifests: {}, release, more: [opkg] });
    expect(jetson.place.run([build.path, "doctor"]).stdout).toContain(
      `opkg install --force-reinstall ${name}\n`,
    );
  });

  it("has its libraries injected through a multiarch directory that is a link to /usr/lib", async () => {
    const jetson = await open();
    const bundle = ask({ rootfs: "alpine" });
    mkdirSync(join(bundle.rootfs, "usr/lib"), { recursive: true });
    mustRun(["ln", "-s", ".", join(bundle.rootfs, MULTIARCH)]);
    const { stdout } = runContainer(bundle, ["readlink", "-f", "/usr/lib/libnvmade.so"], jetson.place);
    expect(stdout).toBe("/usr/lib/libnvmade.so.1.2\n");
    expect(readdirSync(join(bundle.rootfs, "usr/lib"))).toContain("libnvmade.so.1.2");
  });
});
