import { describe, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load-config.ts";
import type { HostView } from "../../../src/model/views.ts";
import { encodeUtf8 } from "../../../src/text/utf8.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { collectFindings } from "../../support/cli/collect-findings.ts";

const USUAL = "/etc/nvidia-container-runtime/config.toml";

/** A host that has one file and supports only reading it. */
function hostWith(path: string, content: Uint8Array): HostView {
  return { readFile: (asked: string) => (asked === path ? content : undefined) } as unknown as HostView;
}

const load = (
  host: HostView,
  environ: readonly string[],
  option: string | undefined,
  imageEnv: readonly string[] = [],
) => loadConfig(host, environ, option, imageEnv, () => {});

describe("loadConfig()", () => {
  it("reads the default file", () => {
    const { config, file } = load(hostWith(USUAL, encodeUtf8("disable-require = true")), [], undefined);
    expect(config.disableRequire).toBe(true);
    expect(file).toBe(USUAL);
  });

  it("returns the defaults if the default file does not exist", () => {
    const host = hostWith("/other", new Uint8Array());
    expect(load(host, [], undefined)).toEqual({
      config: DEFAULT_CONFIG,
      file: undefined,
    });
    expect(load(host, ["XDG_CONFIG_HOME=/x"], undefined).file).toBeUndefined();
  });

  it("does not fall back from an explicitly named file", () => {
    const host = hostWith(USUAL, new Uint8Array());
    const error = catchError(() => load(host, [], "/missing.toml"));
    expect(error.code).toBe("config-invalid");
    expect(error.message).toContain("/missing.toml");
    expect(catchError(() => load(host, ["NVIDIA_CTK_CONFIG_FILE_PATH=/m"], undefined)).code).toBe(
      "config-invalid",
    );
  });

  it("names an invalid file", () => {
    expect(catchError(() => load(hostWith("/a.toml", encodeUtf8("x")), [], "/a.toml")).message).toContain(
      "/a.toml",
    );
  });

  it("refuses a file that is not UTF-8", () => {
    const error = catchError(() => load(hostWith(USUAL, Uint8Array.of(0x23, 0xff)), [], undefined));
    expect(error.code).toBe("config-invalid");
  });

  it("reports findings about the file", () => {
    const host = hostWith(USUAL, encodeUtf8("unknown-key = 1"));
    const { findings } = collectFindings((report) => loadConfig(host, [], undefined, [], report));
    expect(findings).toMatchObject([{ code: "config-key-unknown", args: { key: "unknown-key" } }]);
  });

  it("refuses a variable that the image sets too", () => {
    const entry = "XDG_CONFIG_HOME=/proc/self/cwd";
    const host = hostWith("/proc/self/cwd/nvidia-container-runtime/config.toml", encodeUtf8(""));
    expect(catchError(() => load(host, [entry], undefined, [entry])).code).toBe("config-invalid");
  });
});
