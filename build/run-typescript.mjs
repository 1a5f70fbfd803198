/**
 * Runs a tool that is written in TypeScript: `node build/run-typescript.mjs FILE [ARGUMENT...]`. Node.js 20 cannot read
 * TypeScript itself, so esbuild makes one module of it first; packages from node_modules stay outside.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [file = "", ...words] = process.argv.slice(2);
// Below the root, so that packages are found; one folder a process, so that two runs do not meet.
const directory = join(root, ".cache", `${basename(file, ".ts")}-${process.pid}`);
const outfile = join(directory, "tool.mjs");

/** Files find the project's other files by where they stand, not by where the module was put. */
const ownDirectories = {
  name: "own-directories",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const directory = JSON.stringify(dirname(path));
      return {
        contents: readFileSync(path, "utf8").replaceAll("import.meta.dirname", directory),
        loader: "ts",
      };
    }),
};

mkdirSync(directory, { recursive: true });
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
await build({
  absWorkingDir: root,
  entryPoints: [resolve(file)],
  outfile,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  packages: "external",
  sourcemap: "inline",
  logLevel: "warning",
  plugins: [ownDirectories],
});
process.argv = [process.argv[0], resolve(file), ...words];
await import(pathToFileURL(outfile).href);
