import type { FindingArguments } from "../model/finding.ts";

type Reason = FindingArguments["config-key-without-effect"]["reason"];

/** A key that nvoci does not read. */
interface UnusedKey {
  /** The values in the toolkit's own files. Anyone who writes another one expects an effect. */
  readonly usual: readonly unknown[];
  readonly reason: Reason;
}

/**
 * The keys of the NVIDIA Container Toolkit that nvoci does not read. None of them decides which devices a container gets.
 *
 * @see https://github.com/NVIDIA/nvidia-container-toolkit api/config/v1 of 1.20.0
 * @checked 2026-11-21
 */
export const KEYS_WITHOUT_EFFECT: ReadonlyMap<string, UnusedKey> = new Map<string, UnusedKey>([
  ["features.allow-unknown-oci-spec-fields", { usual: [false], reason: "always-on" }],
  ["nvidia-container-cli.no-pivot", { usual: [false], reason: "detected" }],
  ["nvidia-container-cli.path", { usual: ["", "/usr/bin/nvidia-container-cli"], reason: "other-program" }],
  ["nvidia-container-cli.user", { usual: [""], reason: "other-program" }],
  ["nvidia-container-runtime.modes.cdi.annotation-prefixes", { usual: [["cdi.k8s.io/"]], reason: "no-cdi" }],
  [
    "nvidia-container-runtime.modes.cdi.spec-dirs",
    { usual: [["/etc/cdi", "/var/run/cdi"]], reason: "no-cdi" },
  ],
  [
    "nvidia-container-runtime.modes.jit-cdi.load-kernel-modules",
    { usual: [["nvidia", "nvidia-uvm", "nvidia-modeset"]], reason: "detected" },
  ],
  ["nvidia-container-runtime.modes.jit-cdi.nvcdi-disable-hooks", { usual: [[]], reason: "no-cdi" }],
  ["nvidia-container-runtime.modes.jit-cdi.nvcdi-feature-flags", { usual: [[]], reason: "no-cdi" }],
  ["nvidia-container-runtime-hook.skip-mode-detection", { usual: [false], reason: "always-on" }],
  ["nvidia-ctk.path", { usual: ["", "nvidia-ctk", "/usr/bin/nvidia-ctk"], reason: "other-program" }],
]);

/** Reports whether a value is one of the toolkit's own: TOML lists and strings are equal if their JSON is. */
export const isUsual = ({ usual }: UnusedKey, value: unknown): boolean =>
  usual.some((one) => JSON.stringify(one) === JSON.stringify(value));
