import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sharedObject } from "../../../fixtures/host/shared-object.ts";
import { runCommand } from "../../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../../fixtures/run/temporary-directory.ts";

describe("sharedObject()", () => {
  const directory = temporaryDirectory("elf");
  const path = join(directory.path, "libmade.so.1.2");
  afterAll(() => directory.remove());

  it("makes an object that the loader accepts", () => {
    writeFileSync(path, sharedObject("libmade.so.1", { needed: ["libc.so.6"], tail: "tail" }));
    const result = runCommand(["/bin/true"], { env: { LD_PRELOAD: path } });
    expect(result).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  it("makes an object that cannot be loaded without its dependencies", () => {
    writeFileSync(path, sharedObject("libmade.so.1", { needed: ["libnever.so.9"] }));
    expect(runCommand(["/bin/true"], { env: { LD_PRELOAD: path } }).stderr).toContain("libnever.so.9");
  });
});
