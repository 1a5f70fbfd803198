import { describe, expect, it } from "vitest";
import { configPath } from "../../../src/config/config-path.ts";
import { catchError } from "../../support/cli/catch-error.ts";

const FILE = "NVIDIA_CTK_CONFIG_FILE_PATH=/opt/config.toml";
const HOME = "XDG_CONFIG_HOME=/home/u/.config";

describe("configPath()", () => {
  it.each([
    [[], undefined, "/etc/nvidia-container-runtime/config.toml", false],
    [[HOME], undefined, "/home/u/.config/nvidia-container-runtime/config.toml", false],
    [[HOME, FILE], undefined, "/opt/config.toml", true],
    [[HOME, FILE], "/x//config.toml", "/x/config.toml", true],
    [
      ["XDG_CONFIG_HOME=", "NVIDIA_CTK_CONFIG_FILE_PATH="],
      undefined,
      "/etc/nvidia-container-runtime/config.toml",
      false,
    ],
    [["XDG_CONFIG_HOME=.config"], undefined, "/etc/nvidia-container-runtime/config.toml", false],
    [
      ["MY_XDG_CONFIG_HOME=/a", "XDG_CONFIG_HOMES=/b"],
      undefined,
      "/etc/nvidia-container-runtime/config.toml",
      false,
    ],
    [
      [HOME, "XDG_CONFIG_HOME=/other"],
      undefined,
      "/home/u/.config/nvidia-container-runtime/config.toml",
      false,
    ],
  ])("returns for %j and option %j the path %j (must exist: %j)", (environ, option, path, mustExist) => {
    expect(configPath(environ, option)).toEqual({ path, mustExist });
  });

  it.each(["config.toml", "", "./a", "/a\0"])("refuses the option %j", (option) => {
    expect(catchError(() => configPath([], option)).code).toBe("config-invalid");
  });

  it("refuses a relative file from the environment", () => {
    expect(catchError(() => configPath(["NVIDIA_CTK_CONFIG_FILE_PATH=a"], undefined)).code).toBe(
      "config-invalid",
    );
  });
});

describe("configPath() and the image's environment", () => {
  it.each([FILE, HOME])("refuses %j if the image sets the same", (entry) => {
    const error = catchError(() => configPath([entry], undefined, ["A=1", entry]));
    expect(error.code).toBe("config-invalid");
    expect(error.message).toContain(entry.slice(0, entry.indexOf("=")));
    expect(error.lines).not.toEqual([]);
  });

  it("does not let an image disable a host setting", () => {
    const image = ["NVIDIA_CTK_CONFIG_FILE_PATH=/mine", "XDG_CONFIG_HOME=/mine"];
    expect(configPath([FILE], undefined, image).path).toBe("/opt/config.toml");
    expect(configPath([HOME], undefined, image).path).toMatch(/^\/home\/u\//);
  });

  it("ignores values that only the image sets", () => {
    expect(configPath([], undefined, [FILE, HOME]).path).toBe("/etc/nvidia-container-runtime/config.toml");
  });

  it("ignores the image when the option names the file", () => {
    expect(configPath([FILE], "/x", [FILE]).path).toBe("/x");
  });
});
