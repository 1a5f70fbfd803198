import { describe, expect, it } from "vitest";
import { parseState } from "../../../src/oci/state.ts";
import { catchError } from "../../support/cli/catch-error.ts";

const parse = (state: unknown) => parseState(JSON.stringify(state));

describe("parseState()", () => {
  it("reads a runtime's state", () => {
    expect(
      parse({ ociVersion: "1.0.2", id: "4f2c", status: "creating", pid: 4242, bundle: "/run/c/4f2c/" }),
    ).toEqual({ id: "4f2c", pid: 4242, bundle: "/run/c/4f2c" });
  });

  it("uses bundlePath if bundle is missing or empty", () => {
    expect(parse({ pid: 1, bundlePath: "/b" }).bundle).toBe("/b");
    expect(parse({ pid: 1, bundle: "", bundlePath: "/b" }).bundle).toBe("/b");
    expect(parse({ pid: 1, bundle: "/a", bundlePath: "/b" }).bundle).toBe("/a");
  });

  it("accepts null members and refuses a byte order mark, as runtimes do", () => {
    expect(catchError(() => parseState('\ufeff{"pid":1,"bundle":"/b"}')).message).toContain(
      "line 1, column 1",
    );
    expect(parseState('{"pid":1,"bundle":"/b","id":null,"annotations":null}').id).toBe("");
  });

  it("accepts a stopped container without a pid", () => {
    expect(parse({ bundle: "/b", status: "stopped" }).pid).toBe(0);
    expect(parse({ pid: 0, bundle: "/b", status: "stopped" }).pid).toBe(0);
  });

  it.each([0, -1, 1.5, 2 ** 22 + 1, 1e300, "12", true, null, undefined, []])("refuses pid %j", (pid) => {
    const error = catchError(() => parse({ pid, bundle: "/b", status: "creating" }));
    expect(error.code).toBe("state-invalid");
    expect(error.message).toMatch(/^Cannot read "the OCI state": pid must be /);
  });

  it.each([undefined, "", "relative", "./b", "/a\0b", 5, {}])("refuses bundle %j", (bundle) => {
    const error = catchError(() => parse({ pid: 1, bundle }));
    expect(error.code).toBe("state-invalid");
    expect(error.message).toContain("bundle");
  });

  it("names the line and column of invalid JSON", () => {
    const { message } = catchError(() => parseState('{\n  "pid": 1,\n  "bundle" "/b"\n}'));
    expect(message).toBe('Cannot read "the OCI state": line 3, column 12 is not JSON');
  });

  it("refuses megabytes of unterminated string", () => {
    const { code, message } = catchError(() => parseState(`{"id": "${"x".repeat(8_000_000)}`));
    expect({ code, message }).toEqual({
      code: "state-invalid",
      message: 'Cannot read "the OCI state": line 1, column 8 is not JSON',
    });
  });

  it.each(["", " ", "{", "null", "[]", "3", '"x"', "{} {}"])("refuses the text %j", (text) => {
    expect(catchError(() => parseState(text)).code).toBe("state-invalid");
  });
});
