import { describe, expect, it } from "vitest";
import { readSpecFile } from "../../../src/hook/read-spec-file.ts";
import { NvociError } from "../../../src/model/errors.ts";
import { hostPath } from "../../../src/model/paths.ts";
import type { HostView } from "../../../src/model/views.ts";
import { catchError } from "../../support/cli/catch-error.ts";

const FILE = hostPath("/b/config.json");
const CHUNK = 64 * 1024;
const LARGE = 300 * 1024;

/** A host with one file. */
function hostOf(text: string, type: "file" | "fifo" = "file") {
  const bytes = new TextEncoder().encode(text);
  const ranges: number[] = [];
  const host = {
    readFile: (path: string, limit: number) => {
      if (bytes.length <= limit && type === "file") return bytes;
      throw new NvociError("file-invalid", `Cannot read "${path}"`);
    },
    readRange: (_: string, offset: number, length: number) => {
      ranges.push(length);
      return bytes.slice(offset, offset + length);
    },
    realPath: () => FILE,
    lstat: () => ({ type }),
  } as unknown as HostView;
  return { host, ranges };
}
const read = (text: string) => {
  const answer = readSpecFile(hostOf(text).host, FILE);
  return answer instanceof Uint8Array ? "text" : answer;
};

describe("readSpecFile()", () => {
  it("reads a small file without scanning it", () => {
    const { host, ranges } = hostOf("no JSON");
    expect(readSpecFile(host, FILE)).toHaveLength(7);
    expect(ranges).toEqual([]);
  });

  it("skips a large file without the variable names, and keeps little of it in memory", () => {
    const { host, ranges } = hostOf("x".repeat(20 * 1024 * 1024));
    expect(readSpecFile(host, FILE)).toBe("asks-nothing");
    expect(Math.max(...ranges)).toBeLessThan(2 * CHUNK);
  });

  it.each([
    "NVIDIA_VISIBLE_DEVICES",
    "CUDA_VERSION",
    "DOCKER_RESOURCE_GPU",
    "/var/run/nvidia-container-devices/0",
  ])("reads a large file with %s, wherever it is", (name) => {
    for (const before of [0, CHUNK - 10, CHUNK, CHUNK + 60, LARGE]) {
      expect(read(`${"x".repeat(before)}${name}${"x".repeat(LARGE)}`)).toBe("text");
    }
  });

  it.each([
    ["NVIDIA\\u005fVISIBLE_DEVICES", "text"],
    ["\\u004eVIDIA_VISIBLE_DEVICES", "text"],
    ["nvidia\\u002Dcontainer-devices", "text"],
    ["a\\u003cb\\u0026c\\u000a\\u2028", "asks-nothing"],
  ])("recognizes what %s can mean", (text, answer) => {
    expect(read(`${text}${"x".repeat(LARGE)}`)).toBe(answer);
  });

  it("refuses a large file that may contain a request by its size and its values", () => {
    const size = (text: string) => `${text}${"x".repeat(4 * 1024 * 1024 - text.length)}`;
    expect(read(size("CUDA_VERSION"))).toBe("text");
    expect(catchError(() => read(`${size("CUDA_VERSION")}x`)).code).toBe("spec-invalid");
    expect(read(`CUDA_VERSION${"x".repeat(LARGE)}${",[{".repeat(66_666)}`)).toBe("text");
    expect(catchError(() => read(`CUDA_VERSION${"x".repeat(LARGE)}${",[{".repeat(66_667)}`)).code).toBe(
      "spec-invalid",
    );
  });

  it("passes on the host's error for anything but a file", () => {
    expect(catchError(() => readSpecFile(hostOf("", "fifo").host, FILE)).code).toBe("file-invalid");
  });
});
