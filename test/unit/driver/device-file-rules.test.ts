import { describe, expect, it } from "vitest";
import { parseDeviceFileRules } from "../../../src/driver/capabilities.ts";

const BY_ITSELF = { modify: true, uid: 0, gid: 0, mode: 0o666, minor: undefined, imexChannelCount: 2048 };

describe("parseDeviceFileRules()", () => {
  it("reads the driver's decimal parameters", () => {
    const params = [
      "ResmanDebugLevel: 4294967295",
      "ModifyDeviceFiles: 1",
      "DeviceFileUID: 0",
      "DeviceFileGID: 44",
      "DeviceFileMode: 432",
      "ImexChannelCount: 16",
      'RegistryDwords: ""',
      "",
    ].join("\n");
    expect(parseDeviceFileRules(params)).toEqual({
      ...BY_ITSELF,
      gid: 44,
      mode: 0o660,
      imexChannelCount: 16,
    });
  });

  it("reads a capability's file", () => {
    const text = "DeviceFileMinor: 3\nDeviceFileMode: 292\nDeviceFileModify: 1\n";
    expect(parseDeviceFileRules(text)).toEqual({ ...BY_ITSELF, minor: 3, mode: 0o444 });
  });

  it.each([
    "ModifyDeviceFiles: 0",
    "DeviceFileModify: 0\n",
  ])("reports that %j forbids device files", (text) => {
    expect(parseDeviceFileRules(text).modify).toBe(false);
  });

  it.each([
    "",
    "DeviceFileMode",
    "DeviceFileMode: 0x1b6",
    "DeviceFileMode: -1",
    "XDeviceFileMode: 0",
    "DeviceFileMode: 1 2",
    "DeviceFileUID: 99999999999",
  ])("falls back to the driver's defaults for %j", (text) => {
    expect(parseDeviceFileRules(text)).toEqual(BY_ITSELF);
  });

  it("drops all bits except permissions, so no device gets set-user-ID", () => {
    expect(parseDeviceFileRules(`DeviceFileMode: ${0o106660}`).mode).toBe(0o660);
  });
});
