import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../build/root.ts";
import { MANIFEST_DIRECTORY } from "../../../fixtures/host/fake-l4t.ts";
import type { Triplet } from "../../../src/model/machine.ts";
import type { Operation } from "../../../src/plan/operation.ts";
import { renderFinding } from "../../../src/render/render-finding.ts";
import { renderOperation, type ShownPlan } from "../../../src/render/render-plan.ts";
import { FLAGS, ldCacheBytes } from "./ld-cache-bytes.ts";

/** One directory below test/golden: a host, an image, and the expected plan. */
export interface GoldenCase {
  readonly name: string;
  /**
   * Lines of a tree; see {@link parseTreeLine}. They include manifests, config.toml and ldconfig in addition to
   * host.tree.
   */
  readonly host: readonly string[];
  /** The host's ld.so.cache; `undefined` for a host without one. */
  readonly ldCache: Uint8Array | undefined;
  /** Lines of the image's tree. */
  readonly image: readonly string[];
  /** Text of config.json, whose root is `rootfs`. */
  readonly config: string;
  /** The plan, one line per operation and finding; or the error's text. */
  readonly expected: string;
  /** Replaces the expected plan with the actual one. */
  update(actual: string): void;
}

const DIRECTORY = join(root, "test/golden");
const CONFIG = "/etc/nvidia-container-runtime/config.toml";

/** A static program for the plan to name. Only its head is read. */
const LDCONFIG = "/opt/nvoci/ldconfig";

const HEAD = (() => {
  const bytes = new Uint8Array(120);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  return String.fromCharCode(...bytes);
})();

const NARROW: Readonly<Record<Triplet, string>> = {
  "x86_64-linux-gnu": "i386-linux-gnu",
  "aarch64-linux-gnu": "arm-linux-gnueabihf",
};

const MUSL: Readonly<Record<Triplet, string>> = {
  "x86_64-linux-gnu": "ld-musl-x86_64",
  "aarch64-linux-gnu": "ld-musl-aarch64",
};

const DEFAULT_CONFIG = `[nvidia-container-cli]\nldconfig = "@${LDCONFIG}"\n`;
const DEBIAN_IMAGE =
  'file /etc/debian_version\ndir /usr/lib/$TRIPLET\nfile /sbin/ldconfig 0755 = "\\u007fELF"\n';
const ASKING = { env: ["NVIDIA_VISIBLE_DEVICES=all"] };

/**
 * Reads every case. In all files, `$TRIPLET` stands for the machine's multiarch name, `$NARROW` for that of its
 * 32-bit programs, and `$MUSL` for the name of musl's dynamic linker:
 *
 * - `host.tree`, `*.csv`, `config.toml`: the host, its manifests and its configuration
 * - `ld.so.cache`: the host's entries, as `name path` or `name path narrow` in each line. Default: no cache
 * - `image.tree`: the image. Default: the files that identify Debian
 * - `process.json`: `process` of config.json, with `devices` for `linux.devices`. Default: a request for all GPUs
 * - `plan.txt` or `error.txt`: the expected output
 */
export function goldenCases(triplet: Triplet): readonly GoldenCase[] {
  return readdirSync(DIRECTORY, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => readCase(name, triplet));
}

function readCase(name: string, triplet: Triplet): GoldenCase {
  const directory = join(DIRECTORY, name);
  const read = (file: string, byDefault: string): string => {
    const path = join(directory, file);
    const text = existsSync(path) ? readFileSync(path, "utf8") : byDefault;
    return text
      .replaceAll("$TRIPLET", triplet)
      .replaceAll("$NARROW", NARROW[triplet])
      .replaceAll("$MUSL", MUSL[triplet]);
  };
  const manifests = readdirSync(directory).filter((file) => file.toLowerCase().endsWith(".csv"));
  const { devices = [], ...process } = JSON.parse(read("process.json", JSON.stringify(ASKING)));
  return {
    name,
    host: [
      ...lines(read("host.tree", "")),
      ...manifests.map((file) => `file ${MANIFEST_DIRECTORY}/${file} = ${JSON.stringify(read(file, ""))}`),
      `file ${CONFIG} = ${JSON.stringify(read("config.toml", DEFAULT_CONFIG))}`,
      `file ${LDCONFIG} 0755 = ${JSON.stringify(HEAD)}`,
    ],
    ldCache: ldCacheOf(lines(read("ld.so.cache", "")), triplet),
    image: lines(read("image.tree", DEBIAN_IMAGE)),
    config: JSON.stringify({ ociVersion: "1.0.2", process, root: { path: "rootfs" }, linux: { devices } }),
    expected: read("plan.txt", read("error.txt", "")),
    update(actual) {
      const file = actual.startsWith("nvoci: ") ? "error.txt" : "plan.txt";
      writeFileSync(join(directory, file), portable(actual, triplet));
    },
  };
}

/** Replaces the machine's names with their placeholders again. */
const portable = (text: string, triplet: Triplet): string =>
  text
    .replaceAll(triplet, "$TRIPLET")
    .replaceAll(NARROW[triplet], "$NARROW")
    .replaceAll(MUSL[triplet], "$MUSL");

function ldCacheOf(entries: readonly string[], triplet: Triplet): Uint8Array | undefined {
  if (entries.length === 0) return undefined;
  const wide = triplet === "x86_64-linux-gnu";
  return ldCacheBytes(
    entries.map((line) => {
      const [name = "", path = "", narrow] = line.split(" ");
      const flags = narrow ? (wide ? FLAGS.i386 : FLAGS.arm) : wide ? FLAGS.x86_64 : FLAGS.aarch64;
      return { name, path, flags };
    }),
  );
}

const lines = (text: string): string[] =>
  text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));

/** Reports whether a host's tree is not Debian-like. */
export const isFlat = ({ host }: GoldenCase): boolean =>
  !host.some((line) => line.startsWith("file /etc/debian_version"));

/** Returns a plan as the program prints it, with what it omits: finding codes and generated files. */
export const planText = ({ operations, findings }: Pick<ShownPlan, "operations" | "findings">): string =>
  [
    ...operations.flatMap((operation) => [
      `${renderOperation(operation)} [${operation.source}]`,
      ...unsaid(operation).map((fact) => `  ${fact}`),
    ]),
    ...findings.map((finding) => `${finding.severity} ${finding.code}: ${renderFinding(finding)}`),
  ]
    .map((line) => `${line}\n`)
    .join("");

/** Returns what `renderOperation` omits about an operation. */
function unsaid(operation: Operation): string[] {
  if (operation.op === "cover-directory")
    return operation.files.map(({ name, content }) => `${name} = ${JSON.stringify(content)}`);
  if (operation.op === "update-ldcache" && operation.compatFolder !== undefined)
    return [`compatibility libraries: ${operation.compatFolder}`];
  return [];
}
