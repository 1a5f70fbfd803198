import { describe, expect, it } from "vitest";
import { parseCharMajors } from "../../../src/driver/device-nodes.ts";

const DEVICES = `Character devices:
  1 mem
195 nvidia
195 nvidia-modeset
195 nvidiactl
234 nvidia-caps
507 nvidia-uvm

Block devices:
  8 sd
259 nvidia-no
`;

describe("parseCharMajors()", () => {
  const majors = parseCharMajors(DEVICES);

  it("reads names and numbers with leading spaces", () => {
    expect(majors.get("mem")).toBe(1);
    expect(majors.get("nvidia-uvm")).toBe(507);
    expect(majors.get("nvidia-caps")).toBe(234);
  });

  it("ignores block devices", () => {
    expect(majors.has("nvidia-no")).toBe(false);
    expect(parseCharMajors("Block devices:\n 8 sd\n").size).toBe(0);
  });

  it.each([
    "",
    "8 x",
    "Character devices:\n-1 x",
    "Character devices:\n4096 x",
    "Character devices:\n1 x y",
  ])("finds no number in %j", (text) => {
    expect(parseCharMajors(text).size).toBe(0);
  });
});
