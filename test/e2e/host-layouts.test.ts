import { afterEach, expect, it } from "vitest";
import type { BundleOptions } from "../../fixtures/bundle.ts";
import { type FakeL4tOptions, manifestOf, yoctoEntries } from "../../fixtures/host/fake-l4t.ts";
import { TRIPLET } from "../../fixtures/rootfs.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import {
  askingBundle,
  describeCommand,
  describeHost,
  type Jetson,
  openJetson,
} from "../support/host/jetson.ts";

describeBuilds(CONTAINER, "other kinds of hosts", (build) => {
  const made: (() => void)[] = [];
  afterEach(() => {
    for (const undo of made.splice(0).reverse()) undo();
  });
  const open = async (options: Partial<FakeL4tOptions>): Promise<Jetson> => {
    const jetson = await openJetson(options);
    made.push(jetson.close);
    return jetson;
  };
  const run = (jetson: Jetson, command: readonly string[], options?: BundleOptions) => {
    const bundle = askingBundle(build, options);
    made.push(bundle.remove);
    return runContainer(bundle, command, jetson.place);
  };

  const YOCTO =
    "lib, /usr/lib/libcuda.so.1.1\nsym, /usr/lib/libcuda.so.1\nlib, /usr/lib/gstreamer-1.0/libgstnv.so\n";

  it("injects a Yocto host's libraries where a Debian image looks", async () => {
    const jetson = await open({ manifests: { "l4t.csv": YOCTO }, more: yoctoEntries(), release: "35.4.1" });
    const { stdout } = run(jetson, [
      "sh",
      "-c",
      `cd /usr/lib/${TRIPLET}; ls libcuda* gstreamer-1.0; ldconfig -p`,
    ]);
    expect(stdout.split("\n").slice(0, 5)).toEqual([
      "libcuda.so.1",
      "libcuda.so.1.1",
      "",
      "gstreamer-1.0:",
      "libgstnv.so",
    ]);
    expect(stdout).toMatch(/libcuda\.so\.1 .*=> /);
  });

  it("injects a Yocto host's libraries at their own paths into an image that is not Debian", async () => {
    const jetson = await open({ manifests: { "l4t.csv": YOCTO }, more: yoctoEntries(), release: "35.4.1" });
    const { stdout } = run(jetson, ["readlink", "-f", "/usr/lib/libcuda.so.1"], { rootfs: "busybox" });
    expect(stdout).toBe("/usr/lib/libcuda.so.1.1\n");
  });

  it("injects the files of an alternate root without its prefix", async () => {
    const root = "/usr/share/nvidia-container-passthrough";
    const jetson = await open({ root });
    const own = jetson.files.map((path) => (path.startsWith(root) ? path.slice(root.length) : path));
    const { status, stderr } = run(jetson, ["ls", ...own]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("injects all of a manifest with 300 libraries", async () => {
    const jetson = await open({ manifests: { "l4t.csv": manifestOf(300) } });
    expect(run(jetson, describeCommand(jetson))).toEqual(describeHost(jetson));
    expect(jetson.files.length).toBeGreaterThanOrEqual(300);
  });

  it("reads every manifest on an R32 host, and only the base ones on an R35 host", async () => {
    const manifests = { "l4t.csv": "lib, /opt/base\n", "cuda.csv": "lib, /opt/cuda\n" };
    const old = await open({ manifests, release: "32.7.4" });
    expect(run(old, ["ls", "/opt"]).stdout).toBe("base\ncuda\n");
    const recent = await open({ manifests, release: "35.4.1" });
    expect(run(recent, ["ls", "/opt"]).stdout).toBe("base\n");
    const all = { env: ["NVIDIA_REQUIRE_JETPACK=csv-mounts=all"] };
    expect(run(recent, ["ls", "/opt"], all).stdout).toBe("base\ncuda\n");
  });

  it("starts a container despite a bad manifest", async () => {
    const l4t = "no comma\n\0\nlib, relative\n# a, comment\nfoo, /x\nlib,/opt/last";
    const jetson = await open({ manifests: { "l4t.csv": l4t, "devices.csv": "" } });
    const { status, stdout } = run(jetson, ["ls", "/opt"]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "last\n" });
  });
});
