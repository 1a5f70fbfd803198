import { describe, expect, it } from "vitest";
import { libraryFolders } from "../../../src/discover/library-folders.ts";
import { mount } from "../../support/host/edits.ts";
import { memoryHost } from "../../support/host/memory-host.ts";

const host = memoryHost(`
  file /flat/libx.so.1
  file /cuda/lib64/libcudart.so.12
  file /cuda/lib/libold.so
  file /cuda/bin/nvcc
  file /linked/targets/x/libx.so
  symlink /linked/lib64 -> targets/x
  symlink /loop/lib64 -> lib64
  file /odd/lib
  file /deep/a/lib/libx.so
  file /data/library.txt
  file /data/libx.sox
`);

describe("libraryFolders()", () => {
  it("finds libraries directly in the mounted directory, by its name in the container", () => {
    expect(libraryFolders(host, [mount("directory", "/flat", "/usr/lib/tegra")])).toEqual(["/usr/lib/tegra"]);
  });

  it("finds lib64 and lib in the mounted directory", () => {
    expect(libraryFolders(host, [mount("directory", "/cuda", "/usr/local/cuda-12")])).toEqual([
      "/usr/local/cuda-12/lib64",
      "/usr/local/cuda-12/lib",
    ]);
  });

  it("finds a lib64 that is a link to a directory", () => {
    expect(libraryFolders(host, [mount("directory", "/linked")])).toEqual(["/linked/lib64"]);
  });

  it.each(["/odd", "/deep", "/data", "/loop", "/nowhere"])("finds nothing in %s", (path) => {
    expect(libraryFolders(host, [mount("directory", path)])).toEqual([]);
  });

  it("ignores files and keeps the order of the mounts", () => {
    const mounts = [
      mount("directory", "/cuda"),
      mount("file", "/flat/libx.so.1"),
      mount("directory", "/flat"),
    ];
    expect(libraryFolders(host, mounts)).toEqual(["/cuda/lib64", "/cuda/lib", "/flat"]);
  });
});
