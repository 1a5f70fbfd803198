import { afterAll, beforeAll, expect, it } from "vitest";
import { makeBundle } from "../../fixtures/bundle.ts";
import { openBareContainer } from "../support/engines/bare-container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { type Jetson, openJetson } from "../support/host/jetson.ts";
import { snapshotMounts } from "../support/host/snapshot.ts";

const LABEL = "system_u:object_r:container_file_t:s0:c1,c2";

/** This kernel has neither module. runc(8) would refuse the container, so the test calls the hook as runc would. */
describeBuilds(CONTAINER, "a container with labels", (build) => {
  let jetson: Jetson;
  beforeAll(async () => {
    jetson = await openJetson();
  });
  afterAll(() => jetson?.close());

  it.each([
    ["SELinux", { selinuxLabel: "system_u:system_r:container_t:s0:c1,c2" }],
    ["AppArmor", { apparmorProfile: "docker-default" }],
  ])("of %s gets the same mounts, with the labels of the host's files", async (_, labels) => {
    const mountsWith = async (added: object): Promise<string[]> => {
      const bundle = makeBundle({
        env: ["NVIDIA_VISIBLE_DEVICES=all"],
        edit: (config) => {
          config.process = { ...(config.process as object), ...added };
          config.linux = { ...(config.linux as object), mountLabel: LABEL };
        },
      });
      const container = await openBareContainer(bundle, jetson.place);
      try {
        const hook = container.runHook([build.path, "hook", "prestart"]);
        expect(hook).toEqual({ status: 0, stdout: "", stderr: "" });
        return snapshotMounts(container.pid)
          .filter((line) => line.startsWith(`${bundle.rootfs}/`))
          .map((line) => line.slice(bundle.rootfs.length));
      } finally {
        container.close();
        bundle.remove();
      }
    };
    const plain = await mountsWith({});
    expect(plain.length).toBeGreaterThan(jetson.devices.length);
    expect(await mountsWith(labels)).toEqual(plain);
  });
});
