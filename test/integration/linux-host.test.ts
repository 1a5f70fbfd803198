import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { type HostPath, hostPath } from "../../src/model/paths.ts";
import type { HostView } from "../../src/model/views.ts";
import { linux } from "../../src/sys/linux.ts";
import { linuxHost } from "../../src/sys/linux-host.ts";
import { CWD } from "../../src/sys/syscalls.ts";
import { catchError } from "../support/cli/catch-error.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";
import { nodeEngine } from "../support/kernel/node-engine.ts";

const directory = temporaryDirectory("host");
afterAll(() => directory.remove());
const at = (name: string): HostPath => hostPath(join(directory.path, name));

describeNeeding(["root", "build"], "linuxHost()", () => {
  let host: HostView;
  beforeAll(() => {
    const system = linux(nodeEngine());
    host = linuxHost(system);
    mkdirSync(at("d"));
    writeFileSync(at("d/file"), "0123456789");
    writeFileSync(Buffer.concat([Buffer.from(`${at("d")}/bad`), Buffer.of(0xff)]), "");
    symlinkSync("d/file", at("link"));
    symlinkSync("none", at("dangling"));
    symlinkSync("loop", at("loop"));
    system.mknodat(CWD, at("fifo"), 0o010600);
    system.mknodat(CWD, at("device"), 0o020640);
  });
  const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

  it("reads files, including those of /proc whose size is 0", () => {
    expect(text(host.readFile(at("link")))).toBe("0123456789");
    expect(text(host.readFile(hostPath("/proc/self/mountinfo")))).toContain(" - ");
  });

  it("reads files larger than its buffer, and not a byte more than allowed", () => {
    const large = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);
    writeFileSync(at("large"), large);
    expect(host.readFile(at("large"))).toEqual(large);
    expect(host.readFile(at("d/file"), 10)).toHaveLength(10);
    expect(catchError(() => host.readFile(at("d/file"), 9)).code).toBe("file-invalid");
    expect(catchError(() => host.readFile(hostPath("/proc/self/mountinfo"), 9)).code).toBe("file-invalid");
  });

  it("reads a range, less near the end of the file and nothing beyond it", () => {
    expect([0, 8, 20].map((offset) => text(host.readRange(at("d/file"), offset, 4)))).toEqual([
      "0123",
      "89",
      "",
    ]);
  });

  it("reads only regular files, and does not wait for a FIFO", () => {
    for (const name of ["d", "fifo"])
      expect(catchError(() => host.readFile(at(name))).code).toBe("file-invalid");
  });

  it("returns undefined for a missing path", () => {
    for (const name of ["none", "d/file/x", "dangling", "loop", "a".repeat(256)]) {
      const path = at(name);
      const answers = [
        host.readFile(path),
        host.readRange(path, 0, 1),
        host.readDirectory(path),
        host.realPath(path),
      ];
      expect(answers, name).toEqual([undefined, undefined, undefined, undefined]);
    }
    expect(host.lstat(at("none"))).toBeUndefined();
    expect(host.readLink(at("d"))).toBeUndefined();
  });

  it("lists names in a directory, except dots and names that are not UTF-8", () => {
    expect(host.readDirectory(at("d"))).toEqual(["file"]);
    expect(host.readDirectory(at("d/file"))).toBeUndefined();
  });

  it("lists only the names with an ending, whatever the other names are", () => {
    const names = Array.from({ length: 2000 }, (_, index) => {
      const stem = ["lib", "", "é", "\u0001", "x".repeat(index % 190)][index % 5] ?? "";
      return `${stem}${index}${index % 3 === 0 ? ".so.1" : ".so.10"}`;
    });
    mkdirSync(at("many"));
    for (const name of names) writeFileSync(at(`many/${name}`), "");
    const expected = names.filter((name) => name.endsWith(".so.1") && !name.startsWith("\u0001"));
    const found = host.readDirectory(at("many"), ".so.1") ?? [];
    expect(found.filter((name) => expected.includes(name)).sort()).toEqual(expected.sort());
    expect(host.readDirectory(at("many"), ".so.2")).toEqual([]);
    expect(host.readDirectory(at("none"), ".so.1")).toBeUndefined();
  });

  it("does not follow a link at the end of a path, and returns its target", () => {
    expect(host.lstat(at("link"))).toMatchObject({ type: "symlink" });
    expect(host.lstat(at("device"))).toMatchObject({
      type: "character-device",
      mode: 0o640,
      major: 0,
      minor: 0,
    });
    expect(host.readLink(at("link"))).toBe("d/file");
    expect(host.realPath(at("link"))).toBe(at("d/file"));
  });
});
