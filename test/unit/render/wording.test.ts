import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { root } from "../../../build/root.ts";
import { type CheckArguments, type CheckCode, check } from "../../../src/model/check.ts";
import { type FindingArguments, type FindingCode, finding } from "../../../src/model/finding.ts";
import { type VerdictArguments, type VerdictCode, verdict } from "../../../src/model/verdict.ts";
import { renderCheck } from "../../../src/render/render-check.ts";
import { renderFinding } from "../../../src/render/render-finding.ts";
import { renderNeeds, renderVerdict } from "../../../src/render/render-verdict.ts";

const FOLDER = join(root, "test/unit/render/wording");

/** Compares with the file of that name, which `GOLDEN=update` writes anew. */
function expectLines(name: string, lines: readonly string[]): void {
  const file = join(FOLDER, name);
  const text = `${lines.join("\n")}\n`;
  if (process.env.GOLDEN === "update" || !existsSync(file)) writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, "utf8"));
}

/** Arguments for every finding; a code without its line does not compile. Several where the sentence has cases. */
const FINDINGS: { readonly [C in FindingCode]: readonly FindingArguments[C][] } = {
  "manifest-line-malformed": [{ line: "lib /usr/lib/libx.so" }],
  "manifest-type-unknown": [{ type: "file" }],
  "manifest-path-empty": [{ type: "lib" }],
  "manifest-path-relative": [{ path: "usr/lib/libx.so" }],
  "manifest-path-invalid": [
    { path: "/a", reason: "not-utf8" },
    { path: "/a", reason: "nul" },
    { path: "/a", reason: "too-long" },
  ],
  "manifest-empty": [{ file: "l4t.csv" }],
  "manifest-not-a-file": [{ file: "/etc/d/l4t.csv" }],
  "manifest-unreadable": [{ file: "/etc/d/l4t.csv", reason: 'Cannot open "/etc/d/l4t.csv": EACCES' }],
  "manifest-skipped-not-base": [{ file: "cuda.csv" }],
  "manifest-directory-missing": [{ directory: "/etc/d" }],
  "manifest-path-root": [{ type: "dir" }],
  "manifest-writable-by-others": [{ path: "/etc/d/l4t.csv" }],
  "manifest-too-long": [{ limit: 65_536 }],
  "entry-missing": [{ type: "lib", path: "/usr/lib/libx.so" }],
  "entry-no-match": [{ type: "dev", pattern: "/dev/dri/card*" }],
  "entry-duplicate": [{ path: "/usr/lib/libx.so", first: "l4t.csv:3" }],
  "entry-wrong-type": [{ type: "dev", path: "/dev/null0", found: "file" }],
  "entry-dangling": [{ type: "sym", path: "/usr/lib/libx.so", target: "libx.so.1" } as never],
  "entry-is-directory": [{ type: "lib", path: "/usr/lib/x" }],
  "entry-unreadable": [{ type: "lib", path: "/usr/lib/libx.so", reason: "EACCES" }],
  "device-already-given": [{ path: "/dev/nvmap" }],
  "device-id-unchecked": [{ id: "GPU-1a2b3c4d-1111-4222-8333-444455556666" }],
  "request-denied-unprivileged": [{ variable: "NVIDIA_VISIBLE_DEVICES", value: "all" }],
  "request-volume-mount-ignored": [
    { destination: "/var/run/nvidia-container-devices/..", reason: "parent-directory" },
    { destination: "/var/run/nvidia-container-devices/cdi/x", reason: "cdi-name" },
    { destination: "/var/run/nvidia-container-devices/imex/x", reason: "imex-channel" },
    { destination: "/var/run/nvidia-container-devices/\u0007", reason: "control-character" },
  ],
  "config-key-unknown": [{ file: "/etc/config.toml", key: "nvoci.ldconfg" }],
  "config-key-without-effect": [
    { file: "/etc/config.toml", key: "features.allow-unknown-oci-spec-fields", reason: "always-on" },
    { file: "/etc/config.toml", key: "nvidia-container-cli.no-pivot", reason: "detected" },
    { file: "/etc/config.toml", key: "nvidia-container-runtime.modes.cdi.spec-dirs", reason: "no-cdi" },
    { file: "/etc/config.toml", key: "nvidia-container-cli.user", reason: "other-program" },
  ],
  "config-value-replaced": [{ file: "/etc/config.toml", key: "mode", value: "jit-cdi", used: "auto" }],
  "config-swarm-resource-unseen": [{ file: "/etc/config.toml", variable: "MY_GPU" }],
  "container-read-only": [{ path: "/etc" }],
  "container-directory-in-the-way": [{ path: "/usr/lib/libx.so" }],
  "container-file-in-the-way": [{ path: "/usr/lib/nvidia" }],
  "container-mount-in-the-way": [{ path: "/usr/lib/libx.so" }],
  "container-no-etc": [{}],
  "container-limit": [{ what: "ld.so.conf" }],
  "musl-path-unusable": [{ path: "/etc/ld-musl-x86_64.path" }],
  "findings-left-out": [{ count: 7 }],
  "container-leftover": [{ call: 'unlinkat(9 ("/usr/lib"), "x", 0) = -1 EBUSY' }],
  "container-mount-shared": [{ path: "/usr/lib/libx.so" }],
  "container-volume-untouched": [{ path: "/usr/lib/libx.so" }],
  "container-place-refused": [{ path: "/usr/lib/libx.so" }],
  "ldconfig-container-own": [{ path: "/sbin/ldconfig" }],
  "ldconfig-not-in-image": [{ path: "/sbin/ldconfig" }],
  "ldconfig-unusable": [{ path: "/sbin/ldconfig", reason: "not-static" }],
  "ldconfig-none": [{ links: 12 }],
  "ldconfig-failed": [{ reason: "it did not finish within 5 s" }],
  "ldcache-missing": [{ file: "/etc/ld.so.cache" }],
  "ldcache-invalid": [{ file: "/etc/ld.so.cache", reason: "nlibs at byte 20: too large" }],
  "driver-library-missing": [{ name: "libnvidia-opticalflow.so", capability: "video" }],
  "driver-library-stale": [{ name: "libcuda.so.1", path: "/usr/lib/libcuda.so.1" }],
  "driver-library-other-version": [
    { name: "libnvidia-encode.so", path: "/usr/lib/libnvidia-encode.so.470.1", version: "535.86.05" },
  ],
  "driver-library-unlisted": [{ names: ["libnvidia-new.so.700.1", "libnvidia-newer.so.700.1"] }],
  "driver-library-unreadable": [{ path: "/usr/lib/libEGL.so.1", reason: "it is not an ELF file" }],
  "gpu-information-incomplete": [{ path: "/proc/driver/nvidia/gpus/0", field: "Device Minor" }],
  "gpu-excluded": [{ path: "/proc/driver/nvidia/gpus/0" }],
  "requirement-unchecked": [{ variable: "NVIDIA_REQUIRE_CUDA", term: "arch>=8.0" }],
  "host-setup-failed": [{ reason: "EACCES" }],
  "host-setup-skipped": [{ reason: "user-namespace" }, { reason: "not-root" }],
  "kernel-module-not-loaded": [{ module: "nvidia", reason: "exit status 1" }],
  "driver-not-loaded": [{}],
  "device-number-unknown": [{ path: "/dev/nvidia-uvm", driver: "nvidia-uvm" }],
  "device-node-unmanaged": [{ path: "/dev/nvidia0" }],
  "device-node-not-made": [{ path: "/dev/nvidia0", reason: "EROFS" }],
};

/** Arguments for every result of doctor; a code without its line does not compile. */
const CHECKS: { readonly [C in CheckCode]: readonly CheckArguments[C][] } = {
  "not-root": [{}],
  platform: [{ platform: "Tegra, L4T 36.4.3" }],
  "config-default": [{}],
  "config-file": [{ file: "/etc/config.toml" }],
  "config-invalid": [
    {
      file: "/etc/config.toml",
      message: 'Cannot read "/etc/config.toml": line 1, column 3: x',
      hint: undefined,
    },
    {
      file: "/etc/config.toml",
      message: "Cannot trust /etc/config.toml: x",
      hint: "run: chmod go-w /etc/config.toml",
    },
  ],
  "config-key-unknown": [
    { file: "/etc/config.toml", key: "nvoci.ldconfg", nearest: "nvoci.ldconfig" },
    { file: "/etc/config.toml", key: "colour", nearest: undefined },
  ],
  finding: [
    { finding: finding("ldconfig-unusable", "warning", "ldconfig", { path: "/x", reason: "not-static" }) },
  ],
  "driver-loaded": [{ version: "535.86.05" }],
  "driver-missing": [{}],
  "driver-absent": [{ release: "6.1.0-18-amd64", install: ["apt-get", "install", "nvidia-driver"] }],
  "driver-mismatch": [{ message: "Cannot use the NVIDIA driver: x" }],
  "gpu-none": [{}],
  "libraries-none": [{ version: "535.86.05", install: ["apt-get", "install", "--reinstall", "libcuda1"] }],
  "release-missing": [
    { file: "/etc/nv_tegra_release", install: ["apt-get", "install", "--reinstall", "nvidia-l4t-core"] },
    { file: "/etc/nv_tegra_release", install: undefined },
  ],
  "release-mismatch": [{ release: 32, made: "R36 or later", example: "drivers.csv:3", install: undefined }],
  manifests: [{ directory: "/etc/d", entries: 41 }],
  manifest: [{ file: "l4t.csv", found: 40, missing: ["lib, /usr/lib/libx.so"] }],
  "manifests-none": [
    { directory: "/etc/d", install: ["apt-get", "install", "--reinstall", "nvidia-l4t-init"] },
  ],
  "manifests-unreadable": [{ path: "/etc/d/l4t.csv" }],
  "manifests-writable": [{ path: "/etc/d/it's l4t.csv" }],
  "manifest-lines": [
    {
      file: "/etc/d/l4t.csv",
      count: 2,
      finding: finding("manifest-type-unknown", "warning", "l4t.csv:3", { type: "file" }),
    },
  ],
  "library-unlisted": [
    { name: "libcuda.so.1", found: undefined, directory: "/etc/d", install: undefined },
    { name: "libcuda.so.1", found: "/usr/lib/libcuda.so.1.1", directory: "/etc/d", install: undefined },
  ],
  "library-missing": [
    { name: "libcuda.so.1", path: "/usr/lib/libcuda.so.1.1", install: undefined },
    { name: "libcuda.so.1", path: "libcuda.so.535.86.05", install: undefined },
  ],
  "library-uncached": [{ name: "libcuda.so.1", path: "/usr/lib/libcuda.so.535.86.05" }],
  "library-empty": [{ path: "/usr/lib/libcuda.so.1.1", install: undefined }],
  "library-damaged": [
    { path: "/usr/lib/libcuda.so.1.1", reason: "this is not an ELF file", install: undefined },
  ],
  "node-missing": [
    { path: "/dev/nvhost-ctrl-gpu", alternatives: ["/dev/nvgpu/igpu*/ctrl"], remedy: "modprobe" },
    { path: "/dev/nvidia-uvm", alternatives: [], remedy: "create" },
  ],
  "node-later": [{ path: "/dev/nvidia0" }],
  "node-unlisted": [{ path: "/dev/nvmap", directory: "/etc/d" }],
  "node-closed": [{ path: "/dev/nvidia0", mode: 0o600 }],
  devices: [
    { nodes: ["give device /dev/nvmap (c 10:50, mode 0660)"], missing: 0 },
    { nodes: ["give device /dev/nvmap (c 10:50, mode 0660)"], missing: 27 },
  ],
  "devices-closed": [{ count: 3, groups: [44] }],
  "plan-made": [{ operations: 287 }],
  "plan-impossible": [{ message: "Cannot use the NVIDIA driver: x", hint: "restart the host" }],
  "trial-passed": [{ operations: 287 }],
  "trial-failed": [{ message: "Cannot mount x", hint: undefined }],
  "trial-skipped": [{ reason: "it needs root" }],
  "ldconfig-host": [{ path: "/sbin/ldconfig" }],
  "ldconfig-image": [{ path: "/sbin/ldconfig" }],
  "ldconfig-none": [{ file: "/etc/config.toml" }],
  "ldconfig-missing": [{}],
  cgroup: [{ version: 2 }],
  "cgroup-none": [{}],
  kernel: [
    { release: "6.1.0", missing: [] },
    { release: "4.9.337", missing: ["openat2 (5.6)"] },
  ],
  "runtime-found": [{ path: "/usr/bin/runc" }],
  "runtime-missing": [{ names: ["runc", "crun"] }],
  "hook-found": [{ path: "/usr/bin/nvidia-container-runtime-hook" }],
  "hook-missing": [{ path: "/usr/bin/nvidia-container-runtime-hook", program: "/usr/bin/nvoci" }],
  "hook-foreign": [
    { path: "/usr/bin/hook", real: "/usr/bin/hook", program: "/usr/bin/nvoci" },
    { path: "/usr/bin/hook", real: "/usr/bin/nvidia-toolkit", program: "/usr/bin/nvoci" },
  ],
  "engines-none": [{}],
  "docker-file-invalid": [{ file: "/etc/docker/daemon.json", reason: "line 3, column 1 is not JSON" }],
  "docker-default-unknown": [{ file: "/etc/docker/daemon.json", name: "nvdia" }],
  "docker-runtime": [
    { file: "/etc/docker/daemon.json", path: "/usr/bin/x", isDefault: true, isAsked: false },
    { file: "/etc/docker/daemon.json", path: "/usr/bin/x", isDefault: false, isAsked: true },
  ],
  "docker-runtime-unregistered": [
    { file: "/etc/docker/daemon.json", options: ["--default"], restart: "systemctl restart docker" },
  ],
  "docker-runtime-broken": [
    { file: "/d.json", path: "/usr/bin/x", options: ["--config", "/d.json"], restart: "snap restart docker" },
  ],
  "docker-runtime-foreign": [
    { file: "/d.json", path: "/bin/true", options: [], restart: "systemctl --user restart docker" },
  ],
  "docker-runtime-unloaded": [{ file: "/etc/docker/daemon.json" }],
  "docker-not-default": [{ options: ["--default"], restart: "systemctl restart docker" }],
  "docker-hook-unseen": [{ path: "/usr/bin/hook", restart: "systemctl restart docker" }],
  "docker-cgroup-systemd": [{}],
  "docker-builds": [{ version: undefined }, { version: "27.5.1" }],
  "cdi-foreign": [{ path: "/etc/cdi/nvidia.yaml" }],
  "engine-registered": [{ engine: "podman", file: "/etc/containers/containers.conf" }],
  "engine-unregistered": [
    { engine: "podman", restart: undefined },
    { engine: "crio", restart: "systemctl restart crio" },
  ],
  "engine-unread": [
    { engine: "crio", file: "/etc/crio/crio.conf.d/99-nvoci.toml", restart: "systemctl restart crio" },
  ],
  "k3s-unregistered": [{}],
  "container-found": [{ id: "4f2c9a", pid: 4711, given: 1 }],
  "container-asks-nothing": [
    { id: "4f2c9a", nearMiss: undefined },
    { id: "4f2c9a", nearMiss: "NVIDIA_VISIBLE_DEVICE=all" },
  ],
  "container-lacks": [{ path: "/usr/lib/libcuda.so.1" }],
  "container-stale": [{ path: "/usr/lib/libcuda.so.535.86.05", version: "540.10.01" }],
  "container-complete": [{ given: 30 }],
};

/** Arguments for every answer of why; a code without its line does not compile. */
const VERDICTS: { readonly [C in VerdictCode]: readonly VerdictArguments[C][] } = {
  given: [
    { path: "/usr/lib/libcuda.so.1", from: "/usr/lib/libcuda.so.1.1", source: "l4t.csv:7" },
    { path: "/usr/lib/libx.so", from: undefined, source: "l4t.csv:7" },
  ],
  "given-inside": [{ path: "/lib/firmware", from: "/lib/firmware", source: "l4t.csv:6" }],
  "not-requested": [{ nearMiss: undefined }, { nearMiss: "NVIDIA_VISIBLE_DEVICE=all" }],
  refused: [{ message: "Cannot find GPU x", hint: "the host has GPU 0" }],
  "capability-missing": [
    { requested: "compute,utility", including: ["graphics", "display"], nearMiss: undefined },
    { requested: "utility", including: ["video"], nearMiss: "NVIDIA_DRIVER_CAPABILITES=all" },
  ],
  "gpu-not-requested": [{ visible: "0" }],
  "manifest-unread": [{ source: "cuda.csv:1" }],
  unlisted: [{ path: "/usr/lib/libx.so", line: "lib, /usr/lib/libx.so", file: "/etc/d/drivers.csv" }],
  "host-lacks": [
    { path: "libx.so", source: undefined, install: undefined },
    { path: "/usr/lib/libx.so", source: "l4t.csv:1", install: ["apt-get", "install", "x"] },
  ],
  uncached: [{ path: "/usr/lib/libcuda.so.535.86.05" }],
  "other-version": [{ path: "/usr/lib/libcuda.so.530.30.02", version: "535.86.05" }],
  empty: [{ path: "/usr/lib/libcuda.so.1.1", source: "l4t.csv:7" }],
  damaged: [{ path: "/usr/lib/libcuda.so.1.1", source: "l4t.csv:7", reason: "this is not an ELF file" }],
  "image-wins": [
    { path: "/usr/lib/libcuda.so.1", instead: "/opt/libcuda.so.1", by: "LD_LIBRARY_PATH" },
    { path: "/usr/lib/libcuda.so.1", instead: "/opt/libcuda.so.1", by: "RPATH" },
    { path: "/usr/lib/libcuda.so.1", instead: "/usr/local/cuda/compat/libcuda.so.1", by: "compat" },
  ],
};

/** A string or template of the source as a reader meets it, its values shown as `…`; nothing for other expressions. */
function shown(node: ts.Expression | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join("");
}

/** Every `new NvociError(…)` of src/: its code, line 1, and its hint. */
function errorSentences(): {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}[] {
  const source = join(root, "src");
  const found: { code: string; message: string; hint: string | undefined }[] = [];
  for (const name of readdirSync(source, { recursive: true, encoding: "utf8" }).sort()) {
    if (!name.endsWith(".ts")) continue;
    const file = ts.createSourceFile(name, readFileSync(join(source, name), "utf8"), ts.ScriptTarget.ES2022);
    const visit = (node: ts.Node): void => {
      if (
        ts.isNewExpression(node) &&
        ts.isIdentifier(node.expression) &&
        node.expression.text === "NvociError"
      ) {
        const [code, message, details] = node.arguments ?? [];
        const hint =
          details && ts.isObjectLiteralExpression(details)
            ? details.properties.find(
                (one): one is ts.PropertyAssignment =>
                  ts.isPropertyAssignment(one) && ts.isIdentifier(one.name) && one.name.text === "hint",
              )?.initializer
            : undefined;
        found.push({ code: shown(code) ?? "…", message: shown(message) ?? "…", hint: shown(hint) });
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return found;
}

describe("the wording", () => {
  it("of every finding is the expected one", () => {
    const lines = Object.entries(FINDINGS).flatMap(([code, all]) =>
      all.map((args) => {
        const text = renderFinding(finding(code as "entry-missing", "warning", "l4t.csv:41", args as never));
        return `${code}: ${text}`;
      }),
    );
    expectLines("findings.txt", lines);
    for (const line of lines) expect(line).not.toMatch(/undefined|\[object|\.$|\p{Cc}/u);
  });

  it("of every result of doctor is the expected one", () => {
    const lines = Object.entries(CHECKS).flatMap(([code, all]) =>
      all.flatMap((args) => renderCheck(check("warn", code as "platform", args as never), true)),
    );
    expectLines("doctor.txt", lines);
    for (const line of lines) expect(line).not.toMatch(/undefined|\[object|\.$|\p{Cc}/u);
  });

  it("of every answer of why is the expected one", () => {
    const lines = Object.entries(VERDICTS).flatMap(([code, all]) =>
      all.flatMap((args) => renderVerdict(verdict(code as "uncached", args as never))),
    );
    const needs = renderNeeds(
      (["driver", "image", "nowhere", "unknown"] as const).map((from) => ({ name: `lib${from}.so.1`, from })),
      [undefined, "none", "GLIBC_2.31"].map((has) => ({
        family: "GLIBC",
        wanted: "GLIBC_2.34",
        by: "/usr/lib/libcuda.so.1.1",
        has,
      })),
    );
    expectLines("why.txt", [...lines, ...needs]);
    for (const line of lines) expect(line).not.toMatch(/undefined|\[object|\.$|\p{Cc}/u);
  });

  it("of every answer of why has its line in nvoci(1), which lists no other", () => {
    const manual = readFileSync(join(root, "packaging/man/nvoci.1"), "utf8");
    const listed = [...manual.matchAll(/^\.It Ic (.*)$/gm)].flatMap(([, codes = ""]) => codes.split(" , "));
    expect(listed.sort()).toEqual(Object.keys(VERDICTS).sort());
  });

  it("of every error is the expected one, and has the one form", () => {
    const sentences = errorSentences();
    expectLines(
      "errors.txt",
      sentences.flatMap(({ code, message, hint }) => [
        `${code}: ${message}`,
        ...(hint === undefined ? [] : [`  hint: ${hint}`]),
      ]),
    );
    for (const { message, hint } of sentences) {
      if (message !== "…") expect(message).toMatch(/^(?:Cannot |…)/);
      expect(message).not.toMatch(/\.$|\n/);
      if (hint !== undefined) expect(hint).toMatch(/^(?:[a-z…]|NVIDIA)[^\n]*[^.\n]$/);
    }
  });
});
