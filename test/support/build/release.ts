import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../build/root.ts";
import { mustRun } from "../../../fixtures/run/run-command.ts";

/** The result of `npm run package`. */
export interface Release {
  /** The directory of the artifacts. */
  readonly path: string;
  readonly files: readonly string[];
  /** Returns the path of the only artifact whose name matches. */
  file(pattern: RegExp): string;
}

const EPOCH = "1700000000";
/** Directories that the build does not write and that the copy can share. */
const SHARED = ["node_modules", ".cache"];
const LEFT_OUT = [".git", "dist", "coverage", ...SHARED];

/**
 * Packages a copy of the repository.
 *
 * @param directory where the copy and the artifacts go; it does not affect their content.
 * @param options for build/package.ts; by default, no Node.js executables, which take a minute.
 * @param env more variables.
 */
export function packageCopy(
  directory: string,
  options: readonly string[] = ["--native-only"],
  env: Readonly<Record<string, string>> = {},
): Release {
  const copy = join(directory, "copy");
  mkdirSync(copy, { recursive: true });
  for (const name of readdirSync(root)) {
    if (!LEFT_OUT.includes(name)) cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  for (const name of SHARED) symlinkSync(join(root, name), join(copy, name));
  const dist = join(directory, "dist");
  mustRun(
    [
      process.execPath,
      join(copy, "build/run-typescript.mjs"),
      join(copy, "build/package.ts"),
      ...options,
      "--out",
      dist,
    ],
    {
      env: { PATH: process.env.PATH ?? "", SOURCE_DATE_EPOCH: EPOCH, ...env },
      timeout: 240_000,
    },
  );
  const path = join(dist, "packages");
  const files = readdirSync(path).sort();
  return {
    path,
    files,
    file(pattern) {
      const [found, ...others] = files.filter((file) => pattern.test(file));
      if (found === undefined || others.length > 0)
        throw new Error(`${pattern} is not one of ${files.join(", ")}`);
      return join(path, found);
    },
  };
}
