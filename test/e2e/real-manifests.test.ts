import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Bundle } from "../../fixtures/bundle.ts";
import { canLayOver } from "../../fixtures/host/fake-host.ts";
import { runContainer } from "../../fixtures/run/container.ts";
import type { Finding } from "../../src/model/finding.ts";
import type { Operation } from "../../src/plan/operation.ts";
import { builds } from "../support/build/builds.ts";
import { CONTAINER, describeNeeding } from "../support/engines/prerequisites.ts";
import { askingBundle, type Jetson, openJetson } from "../support/host/jetson.ts";

/** Manifests of releases and distributions, kept next to the checkout, not in it. */
const COLLECTION = join(import.meta.dirname, "../../../shared/manifests");

interface Collected {
  readonly name: string;
  /** Maps file names to texts. */
  readonly manifests: Readonly<Record<string, string>>;
}

const collected: Collected[] = existsSync(COLLECTION)
  ? readdirSync(COLLECTION, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => {
        const files = readdirSync(join(COLLECTION, name)).filter((file) => file.endsWith(".csv"));
        const texts = files.map((file) => [file, readFileSync(join(COLLECTION, name, file), "utf8")]);
        return { name, manifests: Object.fromEntries(texts) };
      })
  : [];

/** Returns the sources, such as `l4t.csv:41`, of all lines that are entries. */
const asking = ({ manifests }: Collected): string[] =>
  Object.entries(manifests).flatMap(([file, text]) =>
    text.split("\n").flatMap((line, index) => (/^\s*(?:#|$)/.test(line) ? [] : [`${file}:${index + 1}`])),
  );

interface Plan {
  readonly operations: readonly Operation[];
  readonly findings: readonly Finding[];
}

const readPlan = (program: string, bundle: Bundle, { place }: Jetson): Plan =>
  JSON.parse(place.run([program, "plan", "--json", "--bundle", bundle.directory]).stdout);

const quoted = (paths: readonly string[]): string => paths.map((path) => `'${path}'`).join(" ");

/**
 * Returns a command that shows what is at paths: content of files, texts of links, numbers and modes of nodes,
 * names in directories. For links below /lib it shows only where they end, because /lib itself is a link on some
 * systems and a directory on others.
 */
function describePaths({ files, links, devices, directories }: Listed, present: readonly string[]): string[] {
  const [inLib, others] = [true, false].map((wanted) =>
    links.filter((path) => path.startsWith("/lib/") === wanted),
  );
  const script = [
    `for path in ${quoted(present)}; do [ -e "$path" ] || [ -L "$path" ] || echo "$path is missing"; done`,
    `for path in ${quoted(inLib ?? [])}; do echo "$path leads to $(readlink -f "$path")"; done`,
    `sha256sum ${quoted(files)}`,
    `/bin/busybox stat -c "%n %F %t:%T %a %u:%g" ${quoted([...devices, "/dev/null"])}`,
    `/bin/busybox stat -c "%N" ${quoted([...(others ?? []), "/dev/null"])}`,
    `find ${quoted([...directories, "/dev/null"])} -type f | sort`,
  ];
  return [
    "/bin/sh",
    "-c",
    `{ ${script.join("\n")}
} 2>&1`,
  ];
}

type Listed = Pick<Jetson, "files" | "links" | "devices" | "directories">;

/** Returns what the host has because of its manifests, except dangling links. */
function listed(jetson: Jetson): Listed {
  const script = `for path in ${quoted(jetson.links)}; do [ ! -e "$path" ] || echo "$path"; done`;
  const whole = jetson.place.run(["/bin/sh", "-c", script]).stdout.split("\n");
  return { ...jetson, links: whole.filter((path) => path !== "") };
}

/**
 * Returns the lines that contradict an earlier one, as in samples for parsers. No host has a path that is both a
 * file and a directory.
 */
function contradicting(set: Collected): ReadonlySet<string> {
  const first = new Map<string, string>();
  return new Set(
    asking(set).filter((source) => {
      const [, type = "", path = ""] = /^\s*(lib|dir)\s*,\s*(\S+)/.exec(lineAt(set, source)) ?? [];
      if (path === "") return false;
      if (!first.has(path)) first.set(path, type);
      return first.get(path) !== type;
    }),
  );
}

/** Reports whether a finding is about the line itself, or about a path that no fake host can have. */
const isExpected = (set: Collected, { code, args, source }: Finding): boolean =>
  code.startsWith("manifest-") ||
  (code === "entry-missing" && "path" in args && !canLayOver(args.path)) ||
  (code === "entry-wrong-type" && contradicting(set).has(source));

const title = "a container with the manifests of";
const [native] = builds();
if (collected.length === 0 && process.env.CI !== "true") {
  describe.skip(`${title} real releases (needs a collection: put one at ../shared/manifests)`, () => {
    it("starts", () => {});
  });
} else {
  describeNeeding(["build", ...CONTAINER], `${title} real releases`, () => {
    it("is tested with a collection of manifests", () => {
      expect(collected.length).toBeGreaterThan(20);
    });

    const cases = collected.flatMap((set) => [
      { ...set, set, host: "everything", lacking: false },
      { ...set, set, host: "two thirds", lacking: true },
    ]);
    it.each(cases)("$name: sees everything that a host with $host of it has", async ({
      set,
      manifests,
      lacking,
    }) => {
      const release = /^r(\d+\.[\dx.]+)/.exec(set.name)?.[1]?.replace("x", "0") ?? "36.4.3";
      const env = ["NVIDIA_REQUIRE_JETPACK=csv-mounts=all"];
      const jetson = await openJetson({ manifests, release, lacking });
      const bundle = askingBundle(native ?? { name: "native", path: "" }, { env });
      try {
        const { operations, findings } = readPlan(native?.path ?? "", bundle, jetson);
        const told = new Set([...operations, ...findings].map(({ source }) => source));
        const shown = operations.flatMap((operation) =>
          operation.op === "bind-directory" ? [operation.path] : [],
        );
        const isShown = (line: string) => shown.some((directory) => line.includes(`${directory}/`));
        const silent = asking(set).filter((source) => !told.has(source) && !isShown(lineAt(set, source)));
        expect(silent).toEqual([]);

        const injected = operations.flatMap((operation) => ("path" in operation ? [operation.path] : []));
        expect(injected.length).toBeGreaterThan(set.name.startsWith("synthetic") ? 3 : 10);
        const command = describePaths(listed(jetson), injected);
        const host = jetson.place.run(command);
        expect(host.stdout).not.toContain("is missing");
        expect(runContainer(bundle, command, jetson.place)).toEqual(host);

        const warnings = findings.filter(
          (finding) => finding.severity === "warning" && !isExpected(set, finding),
        );
        if (lacking)
          expect(warnings.every(({ code }) => /^entry-(?:missing|no-match|dangling)$/.test(code))).toBe(true);
        else expect(warnings).toEqual([]);
        expect(jetson.host.changes()).toEqual([]);
      } finally {
        bundle.remove();
        jetson.close();
      }
    });
  });
}

/** Returns the line that a source such as `l4t.csv:41` names. */
function lineAt({ manifests }: Collected, source: string): string {
  const [file = "", line] = source.split(":");
  return manifests[file]?.split("\n")[Number(line) - 1] ?? "";
}
