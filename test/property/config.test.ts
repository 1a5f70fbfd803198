import fc from "fast-check";
import { expect, it } from "vitest";
import { parseConfig } from "../../src/config/parse-config.ts";
import { NvociError } from "../../src/model/errors.ts";

const line = fc.oneof(
  fc.constantFrom(
    "[nvidia-container-cli]",
    "[nvidia-container-runtime.modes.csv]",
    "[nvoci]",
    "[[nvoci.directories]]",
    'root = "/run/nvidia/driver"',
    'ldconfig = "@/sbin/ldconfig"',
    "ldconfig = true",
    'mode = "csv"',
    'host = "/a"',
    'swarm-resource = "X"',
    "disable-require = true",
    "__proto__ = 1",
    "constructor.prototype.x = 1",
    'a.b = [1, { c = "x" }, 1979-05-27T07:32:00Z]',
  ),
  fc.string({ unit: "binary", maxLength: 20 }),
);

it("parseConfig() accepts any text, or refuses it in one printable line that names the file", () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      try {
        const config = parseConfig(lines.join("\n"), "/etc/c.toml", () => {});
        expect(config.nvidiaContainerCli.root.startsWith("/")).toBe(true);
        for (const { host, container } of config.nvoci.directories) {
          expect([host[0], container[0]]).toEqual(["/", "/"]);
          expect(container).not.toBe("/");
        }
      } catch (error) {
        if (!(error instanceof NvociError)) throw error;
        expect(error.code).toBe("config-invalid");
        expect(error.message).toMatch(/^Cannot read "\/etc\/c\.toml": \P{Cc}{1,300}$/u);
      }
    }),
    { numRuns: 3000 },
  );
  expect(({} as Record<string, unknown>).x).toBeUndefined();
});
