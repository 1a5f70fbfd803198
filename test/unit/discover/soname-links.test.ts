import { describe, expect, it } from "vitest";
import { sharedObject } from "../../../fixtures/host/shared-object.ts";
import { sonameLinks } from "../../../src/discover/soname-links.ts";
import { readSoname } from "../../../src/elf/read-soname.ts";
import { type ContainerEdits, FILE_OPTIONS, type Mount } from "../../../src/model/container-edits.ts";
import { containerPath, hostPath } from "../../../src/model/paths.ts";
import type { HostView } from "../../../src/model/views.ts";
import { memoryHost } from "../../support/host/memory-host.ts";

/** A host that has only these files. */
const hostOf = (files: Readonly<Record<string, Uint8Array>>): HostView => ({
  ...memoryHost(""),
  readRange: (path, offset, length) => files[path]?.subarray(offset, offset + length),
});

const mount = (path: string, from = path, kind: Mount["kind"] = "file"): Mount => ({
  hostPath: hostPath(from),
  containerPath: containerPath(path),
  kind,
  options: FILE_OPTIONS,
  source: `asks for ${path}`,
});

function linksFor(files: Readonly<Record<string, Uint8Array>>, edits: Partial<ContainerEdits>) {
  const host = hostOf(files);
  const links = sonameLinks({ mounts: [], links: [], ...edits }, ({ hostPath: path }) =>
    readSoname(host, path),
  );
  return {
    links: links.map(({ containerPath: path, target, source }) => `${path} -> ${target} (${source})`),
  };
}

describe("sonameLinks()", () => {
  it("creates a library's SONAME link next to it", () => {
    const result = linksFor(
      { "/opt/libx.so.1.2": sharedObject("libx.so.1") },
      { mounts: [mount("/usr/lib/libx.so.1.2", "/opt/libx.so.1.2")] },
    );
    expect(result).toEqual({
      links: ["/usr/lib/libx.so.1 -> libx.so.1.2 (asks for /usr/lib/libx.so.1.2)"],
    });
  });

  it("skips a name that a mount or link already provides", () => {
    const files = { "/l/liba.so.1.2": sharedObject("liba.so.1"), "/l/libb.so.1": sharedObject("libb.so.1") };
    const given = { containerPath: containerPath("/l/liba.so.1"), target: "elsewhere", source: "" };
    const mounts = [mount("/l/liba.so.1.2"), mount("/l/libb.so.1")];
    expect(linksFor(files, { mounts, links: [given] })).toEqual({
      links: [],
    });
  });

  it("links a name to the first file that has it", () => {
    const file = sharedObject("liba.so.1");
    const mounts = [mount("/l/liba.so.1.2"), mount("/l/liba.so.1.3"), mount("/k/liba.so.1.3")];
    const files = Object.fromEntries(mounts.map(({ hostPath: path }) => [path, file]));
    expect(linksFor(files, { mounts }).links).toEqual([
      "/l/liba.so.1 -> liba.so.1.2 (asks for /l/liba.so.1.2)",
      "/k/liba.so.1 -> liba.so.1.3 (asks for /k/liba.so.1.3)",
    ]);
  });

  it("creates a link in each directory that links to the library, as ldconfig does", () => {
    const link = (path: string, target: string) => ({
      containerPath: containerPath(path),
      target,
      source: "",
    });
    const { links } = linksFor(
      { "/l/n/libc.so.1.1": sharedObject("libc.so.1") },
      {
        mounts: [mount("/l/n/libc.so.1.1")],
        links: [link("/l/libc.so", "n/libc.so"), link("/l/n/libc.so", "libc.so.1.1"), link("/l/x", "n")],
      },
    );
    expect(links).toEqual([
      "/l/n/libc.so.1 -> libc.so.1.1 (asks for /l/n/libc.so.1.1)",
      "/l/libc.so.1 -> libc.so ()",
    ]);
  });

  it("ignores a SONAME that leads out of the library's directory", () => {
    for (const soname of ["../../etc/passwd", "/etc/passwd", "", ".", ".."]) {
      const { links } = linksFor(
        { "/l/liba.so.1.2": sharedObject(soname) },
        { mounts: [mount("/l/liba.so.1.2")] },
      );
      expect(links, soname).toEqual([]);
    }
  });

  it("ignores damaged libraries and other files", () => {
    const whole = sharedObject("liba.so.1");
    for (const bytes of [new Uint8Array(), new TextEncoder().encode("INPUT(libb.so)"), whole.slice(0, 100)]) {
      expect(linksFor({ "/l/liba.so.1.2": bytes }, { mounts: [mount("/l/liba.so.1.2")] }).links).toEqual([]);
    }
  });

  it("adds nothing inside a mounted directory, which is read-only", () => {
    const mounts = [mount("/opt/cuda", "/opt/cuda", "directory"), mount("/opt/cuda/lib/liba.so.1.2")];
    expect(linksFor({ "/opt/cuda/lib/liba.so.1.2": sharedObject("liba.so.1") }, { mounts }).links).toEqual(
      [],
    );
  });

  it("reports nothing for a container without libraries", () => {
    const files = { "/usr/bin/program": sharedObject("libx.so.1") };
    expect(linksFor(files, { mounts: [mount("/usr/bin/program"), mount("/usr/share/a.so")] })).toEqual({
      links: [],
    });
  });
});
