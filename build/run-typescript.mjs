// @ts-check
/**
 * Runs a tool written in TypeScript: `node build/run-typescript.mjs FILE [ARGUMENT...]`. Node.js 20 cannot read
 * TypeScript, so esbuild bundles it into one module first. Packages from node_modules stay external.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [file = "", ...args] = process.argv.slice(2);
// Below the root, so that packages resolve; one directory per process, so that runs do not collide.
const directory = join(root, ".cache", `${basename(file, ".ts")}-${process.pid}`);
const outfile = join(directory, "tool.mjs");

/**
 * Makes `import.meta.dirname` and `import.meta.filename` those of the source file, not of the bundled module.
 *
 * @type {import("esbuild").Plugin}
 */
const places = {
  name: "places",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      loader: "ts",
      contents: readFileSync(path, "utf8")
        .replaceAll("import.meta.dirname", () => JSON.stringify(dirname(path)))
        .replaceAll("import.meta.filename", () => JSON.stringify(path)),
    }));
  },
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
  plugins: [places],
});
process.argv = [process.execPath, resolve(file), ...args];
await import(pathToFileURL(outfile).href);
