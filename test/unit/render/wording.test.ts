import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { root } from "../../../build/root.ts";
import { type FindingArguments, type FindingCode, finding } from "../../../src/model/finding.ts";
import { type Check, check, renderCheck } from "../../../src/render/render-check.ts";
import { renderFinding } from "../../../src/render/render-finding.ts";

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
  "entry-missing": [{ type: "lib", path: "/usr/lib/libx.so" }],
  "entry-no-match": [{ type: "dev", pattern: "/dev/dri/card*" }],
  "entry-duplicate": [{ path: "/usr/lib/libx.so", first: "l4t.csv:3" }],
  "entry-wrong-type": [{ type: "dev", path: "/dev/null0", found: "file" }],
  "entry-dangling": [{ type: "sym", path: "/usr/lib/libx.so", target: "libx.so.1" } as never],
  "entry-is-directory": [{ type: "lib", path: "/usr/lib/x" }],
  "entry-unreadable": [{ type: "lib", path: "/usr/lib/libx.so", reason: "EACCES" }],
  "device-already-given": [{ path: "/dev/nvmap" }],
  "request-denied-unprivileged": [{ variable: "NVIDIA_VISIBLE_DEVICES", value: "all" }],
  "request-volume-mount-ignored": [
    { destination: "/var/run/nvidia-container-devices/..", reason: "parent-directory" },
    { destination: "/var/run/nvidia-container-devices/cdi/x", reason: "cdi-name" },
    { destination: "/var/run/nvidia-container-devices/imex/x", reason: "imex-channel" },
    { destination: "/var/run/nvidia-container-devices/\u0007", reason: "control-character" },
  ],
  "config-key-unknown": [{ file: "/etc/config.toml", key: "nvoci.ldconfg" }],
  "config-value-replaced": [{ file: "/etc/config.toml", key: "mode", value: "jit-cdi", used: "auto" }],
  "config-swarm-resource-unseen": [{ file: "/etc/config.toml", variable: "MY_GPU" }],
  "container-read-only": [{ path: "/etc" }],
  "container-directory-in-the-way": [{ path: "/usr/lib/libx.so" }],
  "container-file-in-the-way": [{ path: "/usr/lib/nvidia" }],
  "container-mount-in-the-way": [{ path: "/usr/lib/libx.so" }],
  "container-no-etc": [{}],
  "container-limit": [{ what: "ld.so.conf" }],
  "findings-left-out": [{ count: 7 }],
  "container-leftover": [{ call: 'unlinkat(9 ("/usr/lib"), "x", 0) = -1 EBUSY' }],
  "container-mount-shared": [{ path: "/usr/lib/libx.so" }],
  "container-volume-untouched": [{ path: "/usr/lib/libx.so" }],
  "container-place-refused": [{ path: "/usr/lib/libx.so" }],
  "ldconfig-container-own": [{ path: "/sbin/ldconfig" }],
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

/** Every result of doctor, as it is printed with --verbose. */
const CHECKS: readonly Check[] = [
  check("warn", "not-root", {}),
  check("ok", "platform", { platform: { kind: "server", release: undefined } }),
  check("ok", "driver-loaded", { version: "535.86.05" }),
  check("fail", "driver-missing", {}),
  check("ok", "config-default", {}),
  check("ok", "config-file", { file: "/etc/config.toml" }),
  check("fail", "config-invalid", { message: 'Cannot read "/etc/config.toml": line 1, column 3: x' }),
  check("ok", "manifests", { directory: "/etc/d", entries: 41 }),
  check("fail", "manifests-none", { directory: "/etc/d", major: 36 }),
  check("fail", "manifests-none", { directory: "/etc/d", major: 32 }),
  check("warn", "manifest", { file: "l4t.csv", found: 40, missing: ["lib, /usr/lib/libx.so"] }),
  check("ok", "plan-made", { operations: 287 }),
  check("fail", "plan-impossible", { message: "Cannot use the NVIDIA driver: x" }),
  check("ok", "devices", { nodes: ["give device /dev/nvmap (c 10:50, mode 0660)"] }),
  check("fail", "devices-none", {}),
  check("ok", "devices-closed", { count: 3, groups: [44] }),
  check("ok", "ldconfig-host", { path: "/sbin/ldconfig" }),
  check("ok", "ldconfig-image", { path: "/sbin/ldconfig" }),
  check("warn", "ldconfig-none", {}),
  check("warn", "ldconfig-missing", {}),
  check("ok", "cgroup", { version: 2 }),
  check("fail", "cgroup-none", {}),
  check("ok", "kernel", { release: "4.9.337", missing: ["openat2 (5.6)"] }),
  check("ok", "runtime-found", { path: "/usr/bin/runc" }),
  check("warn", "runtime-missing", { names: ["runc", "crun"] }),
  check("ok", "hook-found", { path: "/usr/bin/nvidia-container-runtime-hook" }),
  check("warn", "hook-missing", { name: "nvidia-container-runtime-hook" }),
  check("ok", "docker-absent", {}),
  check("warn", "docker-unreadable", { file: "/etc/docker/daemon.json" }),
  check("ok", "docker-runtime", { file: "/etc/docker/daemon.json", path: "/usr/bin/x", isDefault: true }),
  check("warn", "docker-runtime-unregistered", { file: "/etc/docker/daemon.json" }),
  check("fail", "docker-runtime-broken", { file: "/etc/docker/daemon.json", path: "/usr/bin/x" }),
];

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
    expectLines(
      "doctor.txt",
      CHECKS.flatMap((one) => renderCheck(one, true)),
    );
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
