import fc from "fast-check";
import { expect, it } from "vitest";
import type { ContainerEdits, Mount } from "../../src/model/container-edits.ts";
import { below, containerPath, isWithin } from "../../src/model/paths.ts";
import type { Operation } from "../../src/plan/operation.ts";
import { plan } from "../../src/plan/plan.ts";
import { device, edits, link, mount } from "../support/host/edits.ts";

const OPTIONS = { cgroups: true };
const ORDER = ["bind-directory", "bind-file", "make-link", "bind-device", "allow-devices"];

const path = fc
  .array(fc.constantFrom("a", "b", "lib.so"), { minLength: 1, maxLength: 4 })
  .map((names) => `/${names.join("/")}`);
const mounted = (kind: Mount["kind"]) =>
  fc.tuple(path, path, fc.boolean()).map(([host, at, same]) => mount(kind, host, same ? host : at));
const anyEdits: fc.Arbitrary<ContainerEdits> = fc
  .record({
    mounts: fc.uniqueArray(fc.oneof(mounted("directory"), mounted("file")), {
      maxLength: 8,
      selector: (one) => one.containerPath,
    }),
    links: fc.uniqueArray(
      path.map((at) => link(at, "target")),
      { maxLength: 3, selector: (one) => one.containerPath },
    ),
    deviceNodes: fc.array(
      fc
        .tuple(path, fc.nat(3), fc.nat(3), fc.constantFrom("rw", "rwm", "m"))
        .map((fields) => device(...fields)),
      { maxLength: 4 },
    ),
  })
  .map(edits);

/** Returns what a container has at a path of the host, when directories and files are mounted over each other. */
function visible(
  mounts: readonly { readonly file: boolean; readonly host: string; readonly at: string }[],
  probe: string,
): string | undefined {
  const exact = mounts.filter(({ file, at }) => file && at === probe).at(-1);
  if (exact !== undefined) return exact.host;
  const around = mounts
    .filter(({ file, at }) => !file && isWithin(probe, at))
    .sort((a, b) => a.at.length - b.at.length)
    .at(-1);
  return around && below(around.host, probe.slice(around.at.length));
}

const ofEdits = (edits: ContainerEdits) =>
  edits.mounts.map((one) => ({ file: one.kind === "file", host: one.hostPath, at: one.containerPath }));
const ofPlan = (operations: readonly Operation[]) =>
  operations.flatMap((one) =>
    one.op === "bind-file" || one.op === "bind-directory"
      ? [{ file: one.op === "bind-file", host: one.hostPath, at: one.path }]
      : [],
  );

it("plan() provides everything that the edits name, even if it omits what a directory already provides", () => {
  fc.assert(
    fc.property(anyEdits, fc.array(path), (edits, probes) => {
      const operations = plan(edits, OPTIONS);
      for (const probe of [...probes, ...edits.mounts.map((one) => one.containerPath)]) {
        expect(visible(ofPlan(operations), probe), probe).toBe(visible(ofEdits(edits), probe));
      }
    }),
    { numRuns: 2000 },
  );
});

it("plan() is deterministic, and parents come before their content", () => {
  fc.assert(
    fc.property(anyEdits, (edits) => {
      const before = JSON.stringify(edits);
      const operations = plan(edits, OPTIONS);
      expect(plan(edits, OPTIONS)).toEqual(operations);
      expect(JSON.stringify(edits)).toBe(before);
      const ranks = operations.map(({ op }) => ORDER.indexOf(op));
      expect(ranks).toEqual([...ranks].sort());
      const directories = operations.filter(({ op }) => op === "bind-directory") as { path: string }[];
      directories.forEach(({ path: at }, index) => {
        for (const later of directories.slice(index + 1)) expect(isWithin(at, later.path)).toBe(false);
      });
    }),
  );
});

it("plan() creates exactly the links outside mounted directories", () => {
  fc.assert(
    fc.property(anyEdits, (edits) => {
      const made = plan(edits, OPTIONS).flatMap((one) => (one.op === "make-link" ? [one.path] : []));
      const wanted = edits.links.filter(
        ({ containerPath: at }) =>
          !edits.mounts.some(
            (one) => one.kind === "directory" && at !== one.containerPath && isWithin(at, one.containerPath),
          ),
      );
      expect(made).toEqual(wanted.map((one) => containerPath(one.containerPath)));
    }),
  );
});

it("plan() allows each device number once, with everything that its nodes need", () => {
  fc.assert(
    fc.property(anyEdits, (edits) => {
      const rules = plan(edits, OPTIONS).flatMap((one) => (one.op === "allow-devices" ? one.rules : []));
      const numbers = rules.map(({ major, minor }) => `${major}:${minor}`);
      expect(new Set(numbers).size).toBe(numbers.length);
      for (const { major, minor, permissions } of edits.deviceNodes) {
        const rule = rules.find((one) => one.major === major && one.minor === minor);
        for (const letter of permissions) expect(rule?.access).toContain(letter);
      }
    }),
  );
});
