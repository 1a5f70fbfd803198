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

describeBuilds(CONTAINER, "hosts of other kinds", (build) => {
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

  it("libraries of a Yocto host lie where a Debian image looks", async () => {
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

  it("libraries of a Yocto host keep their place in an image that is not Debian's", async () => {
    const jetson = await open({ manifests: { "l4t.csv": YOCTO }, more: yoctoEntries(), release: "35.4.1" });
    const { stdout } = run(jetson, ["readlink", "-f", "/usr/lib/libcuda.so.1"], { rootfs: "busybox" });
    expect(stdout).toBe("/usr/lib/libcuda.so.1.1\n");
  });

  it("files of an alternate root are injected without it", async () => {
    const root = "/usr/share/nvidia-container-passthrough";
    const jetson = await open({ root });
    const own = jetson.files.map((path) => (path.startsWith(root) ? path.slice(root.length) : path));
    const { status, stderr } = run(jetson, ["ls", ...own]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("a manifest of 300 libraries is injected whole", async () => {
    const jetson = await open({ manifests: { "l4t.csv": manifestOf(300) } });
    expect(run(jetson, describeCommand(jetson))).toEqual(describeHost(jetson));
    expect(jetson.files.length).toBeGreaterThanOrEqual(300);
  });

  it("an R32 host reads every manifest, an R35 host the base ones", async () => {
    const manifests = { "l4t.csv": "lib, /opt/base\n", "cuda.csv": "lib, /opt/cuda\n" };
    const old = await open({ manifests, release: "32.7.4" });
    expect(run(old, ["ls", "/opt"]).stdout).toBe("base\ncuda\n");
    const recent = await open({ manifests, release: "35.4.1" });
    expect(run(recent, ["ls", "/opt"]).stdout).toBe("base\n");
    const all = { env: ["NVIDIA_REQUIRE_JETPACK=csv-mounts=all"] };
    expect(run(recent, ["ls", "/opt"], all).stdout).toBe("base\ncuda\n");
  });

  it("a bad manifest does not keep a container from starting", async () => {
    const l4t = "no comma\n\0\nlib, relative\n# a, comment\nfoo, /x\nlib,/opt/last";
    const jetson = await open({ manifests: { "l4t.csv": l4t, "devices.csv": "" } });
    const { status, stdout } = run(jetson, ["ls", "/opt"]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "last\n" });
  });
});
