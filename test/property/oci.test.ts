import fc from "fast-check";
import { expect, it } from "vitest";
import { NvociError } from "../../src/model/errors.ts";
import { hostPath } from "../../src/model/paths.ts";
import { parseSpec } from "../../src/oci/spec.ts";
import { parseState } from "../../src/oci/state.ts";

const BUNDLE = hostPath("/b");

/** Any JSON value for a member that is read, or a plausible one. */
const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(null, [], {}, [null], [{}], [""], "/a", { path: "/a" }, { bounding: ["CAP_SYS_ADMIN"] }),
);
const document = fc.record(
  {
    ociVersion: anything,
    process: fc.oneof(anything, fc.record({ env: anything, capabilities: anything }, { requiredKeys: [] })),
    root: fc.oneof(anything, fc.constant({ path: "rootfs" })),
    mounts: anything,
    linux: fc.oneof(anything, fc.record({ devices: anything, namespaces: anything, uidMappings: anything })),
    pid: anything,
    bundle: anything,
    status: anything,
  },
  { requiredKeys: [] },
);

/** Runs `action` and returns whether it succeeded. Anything but an error of one printable line fails the test. */
function holds(action: () => unknown, code: string): boolean {
  try {
    action();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(NvociError);
    expect((error as NvociError).code).toBe(code);
    expect((error as NvociError).message).toMatch(/^Cannot \P{Cc}+[^.]$/u);
    return false;
  }
}

it("parseSpec() accepts or refuses any document, and returns strings", () => {
  fc.assert(
    fc.property(document, (value) => {
      const text = JSON.stringify(value);
      if (!holds(() => parseSpec(text, BUNDLE), "spec-invalid")) return;
      const spec = parseSpec(text, BUNDLE);
      for (const entry of [...spec.env, ...spec.boundingCapabilities]) expect(typeof entry).toBe("string");
      expect(spec.root.path.startsWith("/")).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

it("parseState() accepts or refuses any document", () => {
  fc.assert(
    fc.property(document, (value) => {
      const text = JSON.stringify(value);
      if (!holds(() => parseState(text), "state-invalid")) return;
      expect(parseState(text).bundle.startsWith("/")).toBe(true);
    }),
  );
});

it("parseState() and parseSpec() accept or refuse any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      holds(() => parseState(text), "state-invalid");
      holds(() => parseSpec(text, BUNDLE), "spec-invalid");
    }),
  );
});
