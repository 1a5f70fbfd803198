import { describe, expect, it } from "vitest";
import { entryStates } from "../../../src/cli/read-host.ts";
import type { MountSpec } from "../../../src/manifest/parse-manifest.ts";
import { type Finding, finding } from "../../../src/model/finding.ts";
import { hostPath } from "../../../src/model/paths.ts";

const SPEC: MountSpec = { type: "lib", path: hostPath("/a"), source: "l4t.csv:1" };
const found = (finding: Finding): boolean => entryStates([SPEC], [finding])[0]?.found === true;

describe("entryStates()", () => {
  it.each([
    finding("entry-missing", "info", "l4t.csv:1", { type: "lib", path: "/a" }),
    finding("entry-no-match", "info", "l4t.csv:1", { type: "lib", pattern: "/a" }),
    finding("entry-dangling", "info", "l4t.csv:1", { path: "/a", target: "/b" }),
    finding("entry-unreadable", "warning", "l4t.csv:1", { type: "lib", path: "/a", reason: "EACCES" }),
    finding("entry-wrong-type", "warning", "l4t.csv:1", { type: "lib", path: "/a", found: "directory" }),
  ])("counts an entry with $code as not found", (about) => expect(found(about)).toBe(false));

  it.each([
    finding("entry-is-directory", "info", "l4t.csv:1", { type: "lib", path: "/a" }),
    finding("entry-duplicate", "info", "l4t.csv:1", { path: "/a", first: "l4t.csv:9" }),
    finding("device-already-given", "info", "l4t.csv:1", { path: "/a" }),
    finding("entry-missing", "info", "l4t.csv:10", { type: "lib", path: "/a" }),
    finding("entry-missing", "info", "other.csv:1", { type: "lib", path: "/a" }),
  ])("counts an entry with $code from $source as found", (about) => expect(found(about)).toBe(true));
});
