import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, makeBundle } from "../../fixtures/bundle.ts";
import { fileEntry } from "../../fixtures/host/tree-entry.ts";
import { createContainer } from "../../fixtures/run/container.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import { installLinks } from "../support/engines/wrapper.ts";
import { askingBundle, type Jetson, openJetson } from "../support/host/jetson.ts";

/**
 * Every key of the NVIDIA Container Toolkit 1.20: its table, its name, the toolkit's own value and another one.
 *
 * @see https://github.com/NVIDIA/nvidia-container-toolkit api/config/v1
 */
const KEYS: readonly (readonly [table: string, key: string, usual: string, other: string])[] = [
  ["", "accept-nvidia-visible-devices-as-volume-mounts", "false", "true"],
  ["", "accept-nvidia-visible-devices-envvar-when-unprivileged", "true", "false"],
  ["", "disable-require", "false", "true"],
  ["", "supported-driver-capabilities", '"compat32,compute,display,graphics,ngx,utility,video"', '"compute"'],
  ["", "swarm-resource", '""', '"DOCKER_RESOURCE_GPU"'],
  ["nvidia-container-cli", "debug", '""', '"/var/log/x.log"'],
  ["nvidia-container-cli", "environment", "[]", '["NVC_DEBUG=1"]'],
  ["nvidia-container-cli", "ldcache", '""', '"/opt/ld.so.cache"'],
  ["nvidia-container-cli", "ldconfig", '"@/sbin/ldconfig.real"', '"@/opt/ldconfig"'],
  ["nvidia-container-cli", "load-kmods", "true", "false"],
  ["nvidia-container-cli", "no-cgroups", "false", "true"],
  ["nvidia-container-cli", "no-pivot", "false", "true"],
  ["nvidia-container-cli", "path", '""', '"/opt/nvidia-container-cli"'],
  ["nvidia-container-cli", "root", '""', '"/run/nvidia/driver"'],
  ["nvidia-container-cli", "user", '""', '"root:video"'],
  ["nvidia-container-runtime", "debug", '""', '"/var/log/y.log"'],
  ["nvidia-container-runtime", "log-level", '"info"', '"debug"'],
  ["nvidia-container-runtime", "mode", '"auto"', '"legacy"'],
  ["nvidia-container-runtime", "mode", '"auto"', '"jit-cdi"'],
  ["nvidia-container-runtime", "runtimes", '["runc", "crun"]', '["crun"]'],
  ["nvidia-container-runtime.modes.cdi", "annotation-prefixes", '["cdi.k8s.io/"]', '["x.io/"]'],
  ["nvidia-container-runtime.modes.cdi", "default-kind", '"nvidia.com/gpu"', '"x.com/gpu"'],
  ["nvidia-container-runtime.modes.cdi", "spec-dirs", '["/etc/cdi", "/var/run/cdi"]', '["/etc/cdi"]'],
  ["nvidia-container-runtime.modes.csv", "compat-container-root", '""', '"/usr/local/cuda/compat"'],
  [
    "nvidia-container-runtime.modes.csv",
    "mount-spec-path",
    '"/etc/nvidia-container-runtime/host-files-for-container.d"',
    '"/opt/csv"',
  ],
  [
    "nvidia-container-runtime.modes.jit-cdi",
    "load-kernel-modules",
    '["nvidia", "nvidia-uvm", "nvidia-modeset"]',
    '["nvidia"]',
  ],
  ["nvidia-container-runtime.modes.jit-cdi", "nvcdi-disable-hooks", "[]", '["all"]'],
  ["nvidia-container-runtime.modes.jit-cdi", "nvcdi-feature-flags", "[]", '["disable-nvsandboxutils"]'],
  ["nvidia-container-runtime.modes.legacy", "cuda-compat-mode", '"ldconfig"', '"disabled"'],
  ["nvidia-container-runtime-hook", "path", '"nvidia-container-runtime-hook"', '"/opt/hook"'],
  ["nvidia-container-runtime-hook", "skip-mode-detection", "false", "true"],
  ["nvidia-ctk", "path", '"nvidia-ctk"', '"/opt/nvidia-ctk"'],
  ["features", "allow-cuda-compat-libs-from-container", "false", "true"],
  ["features", "allow-ldconfig-from-container", "false", "true"],
  ["features", "allow-unknown-oci-spec-fields", "false", "true"],
  ["features", "disable-cuda-compat-lib-hook", "false", "true"],
  ["features", "disable-imex-channel-creation", "false", "true"],
  ["features", "ignore-imex-channel-requests", "false", "true"],
  ["features", "no-additional-gids-for-device-nodes", "false", "true"],
];

const CONFIG = "/etc/nvidia-container-runtime/config.toml";
const LOG = "/etc/nvoci.log";

const lineOf = (table: string, key: string, value: string): string =>
  `${table === "" ? "" : `[${table}]\n`}${key} = ${value}\n`;

interface Shown {
  readonly config: unknown;
  readonly findings: readonly { readonly code: string; readonly args: { readonly key: string } }[];
}

describeBuilds(CONTAINER, "config.toml", (build) => {
  describe("with each key of the toolkit", () => {
    let jetson: Jetson;
    let shown: (text: string) => Shown;
    beforeAll(async () => {
      const tests = KEYS.flatMap(([table, key, ...values], index) =>
        values.map((value, which) => fileEntry(`/opt/keys/${index}.${which}`, lineOf(table, key, value))),
      );
      jetson = await openJetson({ more: [...tests, fileEntry("/opt/keys/none", "")] });
      shown = (file) =>
        JSON.parse(jetson.place.run([build.path, "config", "show", "--config", `/opt/keys/${file}`]).stdout);
    });
    afterAll(() => jetson?.close());

    it.each(
      KEYS.map(([table, key, usual, other], index) => ({ table, key, usual, other, index })),
    )("takes none in silence: $table $key = $other", ({ table, key, index }) => {
      const plain = shown("none");
      expect(shown(`${index}.0`)).toEqual({ ...plain, file: `/opt/keys/${index}.0` });
      const { config, findings } = shown(`${index}.1`);
      const hasEffect = JSON.stringify(config) !== JSON.stringify(plain.config);
      if (hasEffect) return;
      expect(findings).toHaveLength(1);
      expect(findings[0]?.code).toMatch(/^config-(?:key-without-effect|value-replaced)$/);
      expect(findings[0]?.args.key).toBe(table === "" ? key : `${table}.${key}`);
    });
  });

  it("with a key without effect starts a container, and the log says why it has none", async () => {
    const config = `[nvidia-container-cli]\ndebug = "${LOG}"\nuser = "root:video"\n`;
    const jetson = await openJetson({ more: [fileEntry(CONFIG, config)] });
    const bundle = askingBundle(build);
    try {
      createContainer(bundle, ["true"], jetson.place).delete();
      expect(jetson.place.run(["cat", LOG]).stdout).toContain(
        "sets nvidia-container-cli.user, which has no effect: nvoci does not run the program that it is for",
      );
    } finally {
      bundle.remove();
      jetson.close();
    }
  });

  describe("with no-additional-gids-for-device-nodes", () => {
    let made: TemporaryDirectory;
    beforeAll(() => {
      made = temporaryDirectory("keys");
    });
    afterAll(() => made?.remove());

    it.each([
      [true, undefined],
      [false, [44]],
    ])("= %s the wrapper adds the groups %j", async (value, groups) => {
      const config = `[features]\nno-additional-gids-for-device-nodes = ${value}\n`;
      const jetson = await openJetson({ more: [fileEntry(CONFIG, config)] });
      const bundle: Bundle = makeBundle({ env: ["NVIDIA_VISIBLE_DEVICES=all"] });
      try {
        const wrapper = installLinks(build, join(made.path, `${value}`));
        createContainer(bundle, ["true"], jetson.place, wrapper).delete();
        const written = JSON.parse(readFileSync(join(bundle.directory, "config.json"), "utf8"));
        expect(written.process.user.additionalGids).toEqual(groups);
      } finally {
        bundle.remove();
        jetson.close();
      }
    });
  });
});
