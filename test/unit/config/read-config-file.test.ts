import { describe, expect, it } from "vitest";
import { readConfigFile } from "../../../src/config/load-config.ts";
import { hostPath } from "../../../src/model/paths.ts";
import { decodeUtf8 } from "../../../src/text/utf8.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { memoryHost } from "../../support/host/memory-host.ts";

const FILE = hostPath("/etc/config.toml");
const ROOT = "dir /proc/self/fd 0500 0:0";
const USER = "dir /proc/self/fd 0500 1000:1000";
const MAPPED = 'file /proc/self/uid_map = "0 1000 1\\n1 100000 65536\\n"';

const read = (...tree: readonly string[]): string | undefined => {
  const bytes = readConfigFile(memoryHost(tree), FILE, 100);
  return bytes && decodeUtf8(bytes);
};

describe("readConfigFile()", () => {
  it.each([
    ["0644 0:0", ROOT],
    ["0664 0:0", ROOT],
    ["0640 0:44", ROOT],
    ["0644 1000:1000", USER],
    ["0664 1000:1000", USER],
    ["0644 0:0", USER],
  ])("accepts a file owned by %s", (facts, self) => {
    expect(read(self, `file ${FILE} ${facts} = "x"`)).toBe("x");
  });

  it("accepts a file of the host's root, which a user namespace does not map", () => {
    expect(read(ROOT, MAPPED, `file ${FILE} 0644 65534:65534 = "x"`)).toBe("x");
  });

  it("reports nothing about a missing file", () => {
    expect(read(ROOT)).toBeUndefined();
  });

  it.each([
    ["0666 0:0", ROOT, "every user may write to it", "chmod go-w"],
    ["0646 0:0", ROOT, "every user may write to it", "chmod go-w"],
    ["0664 0:44", ROOT, "group 44 may write to it", "chmod g-w"],
    ["0644 1000:0", ROOT, "it belongs to user 1000", "chown root"],
    ["0644 1001:0", USER, "it belongs to user 1001", "chown root"],
    ["0666 65534:65534", MAPPED, "every user may write to it", "chmod go-w"],
  ])("refuses a file owned by %s", (facts, self, reason, remedy) => {
    const error = catchError(() => read(self, ROOT, `file ${FILE} ${facts} = "x"`));
    expect(error).toMatchObject({ code: "config-invalid", message: `Cannot trust "${FILE}": ${reason}` });
    expect(error.lines).toEqual([expect.stringContaining("its mode is 0"), `hint: run: ${remedy} "${FILE}"`]);
  });

  it("checks a link's target, not the link", () => {
    const link = `symlink ${FILE} -> /srv/config.toml`;
    expect(read(ROOT, 'file /srv/config.toml 0644 0:0 = "x"', link)).toBe("x");
    expect(catchError(() => read(ROOT, 'file /srv/config.toml 0646 0:0 = "x"', link)).code).toBe(
      "config-invalid",
    );
  });
});
