import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Bundle } from "../../fixtures/bundle.ts";
import {
  DRIVER_LIBRARIES,
  DRIVER_VERSION,
  driverFiles,
  type FakeServer,
} from "../../fixtures/host/fake-server.ts";
import { sharedObject } from "../../fixtures/host/shared-object.ts";
import { fileEntry, type TreeEntry } from "../../fixtures/host/tree-entry.ts";
import { scriptLines } from "../../fixtures/run/container.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { serversOfEachTest } from "../support/engines/servers-of-each-test.ts";

const ICD = "/usr/share/vulkan/icd.d/nvidia_icd.json";
const icd = (path: string): string => JSON.stringify({ ICD: { library_path: path, api_version: "1.4.341" } });
const link = (path: string, target: string): TreeEntry => ({ kind: "link", path, target });

/** Loads a library into a program of the image, which prints what libcuda returns and any error of the linker. */
const load = (library: string): string => `LD_PRELOAD=${library} use-cuda`;

describeBuilds([...CONTAINER, "gcc"], "a driver", (build) => {
  const { open, ask, closing } = serversOfEachTest(build);
  const lines = (server: FakeServer, bundle: Bundle, script: string): string[] =>
    scriptLines(bundle, script, server.place, ["/bin/busybox", "sh"]);

  it("of negativo17's packages is whole: libGLX_nvidia.so.0 is the file, and its versioned name the link", async () => {
    const versioned = `${DRIVER_LIBRARIES}/libGLX_nvidia.so.${DRIVER_VERSION}`;
    const server = await open({
      more: [
        fileEntry(`${DRIVER_LIBRARIES}/libGLX_nvidia.so.0`, sharedObject("libGLX_nvidia.so.0")),
        link(versioned, "libGLX_nvidia.so.0"),
      ],
    });
    const said = lines(
      server,
      ask(),
      `readlink ${versioned}; readlink ${DRIVER_LIBRARIES}/libGLX_indirect.so.0; ${load(versioned)}`,
    );
    expect(said).toEqual(["libGLX_nvidia.so.0", "libGLX_nvidia.so.0", "535"]);
  });

  it("whose firmware was updated for this kernel alone has that firmware", async () => {
    const directory = `/lib/firmware/updates/${release()}/nvidia/${DRIVER_VERSION}`;
    const server = await open({ more: [fileEntry(`${directory}/gsp_tu10x.bin`, "updated\n")] });
    const path = `/lib/firmware/nvidia/${DRIVER_VERSION}/gsp_tu10x.bin`;
    expect(lines(server, ask(), `cat ${path}`)).toEqual(["updated"]);
  });

  describe("whose configuration names a library by path", () => {
    const NAMED = "/opt/rpm/lib64/libGLX_nvidia.so.0";
    const options = { more: [fileEntry(ICD, icd(NAMED))] };

    it.each([false, true])("is loaded from there too (user namespace: %s)", async (userNamespace) => {
      const said = lines(await open(options), ask({ userNamespace }), `cat ${ICD}; echo; ${load(NAMED)}`);
      expect(said).toEqual([icd(NAMED), "535"]);
    });

    it("changes nothing on the host if the image has a link there", async () => {
      const server = await open(options);
      const canary = temporaryDirectory("canary");
      closing.push(canary.remove);
      const bundle = ask();
      mkdirSync(join(bundle.rootfs, "opt"), { recursive: true });
      symlinkSync(canary.path, join(bundle.rootfs, "opt/rpm"));
      expect(lines(server, bundle, load(NAMED))).toEqual(["535"]);
      expect(readdirSync(canary.path)).toEqual([]);
    });

    it("changes nothing in a volume there, and is injected without that name", async () => {
      const server = await open(options);
      const volume = temporaryDirectory("volume");
      closing.push(volume.remove);
      const mounts = [{ destination: "/opt/rpm", type: "bind", source: volume.path, options: ["rbind"] }];
      expect(lines(server, ask({ mounts }), `ls /opt/rpm; ${load("libGLX_nvidia.so.0")}`)).toEqual(["535"]);
      expect(readdirSync(volume.path)).toEqual([]);
    });
  });

  it("of NixOS is found behind /run/opengl-driver, without any ld.so.cache", async () => {
    const store = "/opt/store/nvidia-x11";
    const libraries = `${store}${DRIVER_LIBRARIES}`;
    const named = `${libraries}/libGLX_nvidia.so.0`;
    const system = "/opt/store/system";
    const server = await open({
      versions: [],
      more: [
        ...driverFiles(DRIVER_VERSION, { root: store }).filter(({ path }) => path.startsWith(libraries)),
        link("/run/opengl-driver", "/opt/store/graphics-drivers"),
        link("/opt/store/graphics-drivers/lib", libraries),
        fileEntry("/opt/store/graphics-drivers/share/vulkan/icd.d/nvidia_icd.x86_64.json", icd(named)),
        link("/run/current-system", system),
        fileEntry(`${system}/sw/bin/nvidia-smi`, "#!/bin/sh\necho smi\n", 0o755),
      ],
      setup: [`ldconfig -n ${libraries}`, "rm /etc/ld.so.cache"],
    });
    const json = "/usr/share/vulkan/icd.d/nvidia_icd.x86_64.json";
    expect(lines(server, ask(), `use-cuda; nvidia-smi; cat ${json}; echo; ${load(named)}`)).toEqual([
      ...["535", "smi"],
      icd(named),
      "535",
    ]);
  });
});
