import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sharedObject } from "../../../fixtures/host/shared-object.ts";
import { decodeLdCache } from "../../../src/ldcache/decode-ld-cache.ts";
import { describeNeeding } from "../../support/engines/prerequisites.ts";

const LDCONFIG = "/sbin/ldconfig";
const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
/** ldconfig cannot write the oldest layout on newer machines. */
const formats = process.arch === "arm64" ? ["new"] : ["old", "compat", "new"];

/** Returns names and paths as the real ldconfig prints them. */
function listed(file: string): string[] {
  const text = execFileSync(LDCONFIG, ["-p", "-C", file], { encoding: "utf8" });
  return [...text.matchAll(/^\t(\S+) \(.*\) => (.*)$/gm)].map(([, name, path]) => `${name} ${path}`);
}

const decoded = (file: string): string[] =>
  decodeLdCache(readFileSync(file)).map(({ name, path }) => `${name} ${path}`);

// ldconfig -r changes the root, which requires root.
describeNeeding(["root"], "decodeLdCache() agrees with ldconfig -p", () => {
  describe("decodeLdCache() agrees with ldconfig", () => {
    let root = "";
    beforeAll(() => {
      root = mkdtempSync(join(tmpdir(), "ldcache-"));
      const write = (path: string, content: Uint8Array | string): void => {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), content);
      };
      const directory = `/usr/lib/${triplet}`;
      write("/etc/ld.so.conf", `${directory}\n/opt/übung/lib\n`);
      write(`${directory}/libcuda.so.535.86.05`, sharedObject("libcuda.so.1"));
      write(`${directory}/libnvidia-ml.so.535.86.05`, sharedObject("libnvidia-ml.so.1"));
      write(`${directory}/glibc-hwcaps/x86-64-v2/libz.so.1.2`, sharedObject("libz.so.1"));
      write(`${directory}/glibc-hwcaps/x86-64-v3/libz.so.1.2`, sharedObject("libz.so.1"));
      write("/opt/übung/lib/libz.so.1.2", sharedObject("libz.so.1"));
      for (let i = 0; i < 100; i++) write(`${directory}/lib${i}.so.${i}`, sharedObject(`lib${i}.so.${i}`));
    });
    afterAll(() => rmSync(root, { recursive: true, force: true }));

    it.each(formats)("on the layout %s", (format) => {
      execFileSync(LDCONFIG, ["-r", root, "-c", format, "-C", `/etc/${format}.cache`]);
      const file = join(root, `/etc/${format}.cache`);
      expect(decoded(file)).toEqual(listed(file));
      expect(decoded(file).length).toBeGreaterThan(100);
    });

    it("on paths with CPU-level directories", () => {
      execFileSync(LDCONFIG, ["-r", root, "-C", "/etc/hwcaps.cache"]);
      const paths = decodeLdCache(readFileSync(join(root, "/etc/hwcaps.cache"))).map(({ path }) => path);
      const levels = paths.filter((path) => path.includes("/glibc-hwcaps/"));
      expect(levels.length).toBe(process.arch === "arm64" ? 0 : 2);
    });
  });

  it.skipIf(!existsSync("/etc/ld.so.cache"))("on this machine's cache, if it has one", () => {
    expect(decoded("/etc/ld.so.cache")).toEqual(listed("/etc/ld.so.cache"));
  });
});
