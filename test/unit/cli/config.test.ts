import { describe, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../../../src/config/config.ts";
import { catchError } from "../../support/cli/catch-error.ts";
import { commandContext } from "../../support/cli/command-context.ts";
import { runWords } from "../../support/cli/run-words.ts";

const show = (options: Parameters<typeof commandContext>[0], ...words: string[]) => {
  const context = commandContext(options);
  expect(runWords(["config", "show", ...words], context)).toBe(0);
  return JSON.parse(context.printed.join("\n"));
};

describe("nvoci config show", () => {
  it("prints the defaults without a file", () => {
    expect(show({})).toEqual({
      file: null,
      config: JSON.parse(JSON.stringify(DEFAULT_CONFIG)),
      findings: [],
    });
  });

  it("prints the file's name, its changes and its unknown keys", () => {
    const tree = 'file /c.toml = "disable-require = true\\nbogus = 1"';
    const { file, config, findings } = show({ tree }, "--config", "/c.toml");
    expect(file).toBe("/c.toml");
    expect(config.disableRequire).toBe(true);
    expect(findings).toMatchObject([{ code: "config-key-unknown", args: { key: "bogus" } }]);
  });

  it("finds the file that the environment names", () => {
    const environ = ["NVIDIA_CTK_CONFIG_FILE_PATH=/e.toml"];
    expect(show({ tree: "file /e.toml", environ }).file).toBe("/e.toml");
  });

  it.each([
    ["that is missing", "dir /etc"],
    ["that is not TOML", 'file /c.toml = "[oops"'],
  ])("refuses a named file %s", (_, tree) => {
    const error = catchError(() =>
      runWords(["config", "show", "--config", "/c.toml"], commandContext({ tree })),
    );
    expect(error).toMatchObject({ code: "config-invalid" });
  });
});
