import type { MountSpec } from "../../../../src/manifest/parse-manifest.ts";
import { basename, dirname } from "../../../../src/model/paths.ts";

/** The tail of a versioned library's name. */
const stem = (path: string): string => basename(path).replace(/\.so.*$/, ".so");

/**
 * Returns tree lines for everything that a manifest lists: files, directories, numbered device nodes and links. A
 * link leads to the library of the same stem if the manifest lists one (`libcuda.so` to `libcuda.so.1.1`),
 * otherwise to a file of its own. `…/tegra` is a link to `nvidia`, as on the boards.
 *
 * @param specs the entries that the host has.
 */
export function hostOfManifest(specs: readonly MountSpec[]): string[] {
  const directoryLinks = specs.filter(({ type, path }) => type === "sym" && basename(path) === "tegra");
  const real = (path: string): string => {
    const link = directoryLinks.find((spec) => path.startsWith(`${spec.path}/`));
    return link === undefined ? path : `${dirname(link.path)}/nvidia${path.slice(link.path.length)}`;
  };
  const lines = new Map<string, string>();
  const add = (path: string, line: string): void => {
    if (!lines.has(path)) lines.set(path, line);
  };
  const files = specs.filter(({ type }) => type === "lib").map(({ path }) => real(path));
  for (const path of files) add(path, `file ${path}`);
  let number = 0;
  for (const { type, path } of specs) {
    const at = real(path);
    if (type === "dir") add(at, `dir ${at}`);
    if (type === "dev") {
      for (const name of at.includes("*") ? [0, 1].map((digit) => at.replace("*", `${digit}`)) : [at]) {
        add(name, `char ${name} 240:${number++} 0660 0:44`);
      }
    }
    if (type !== "sym") continue;
    if (directoryLinks.some((link) => link.path === path)) {
      add(`${dirname(at)}/nvidia`, `dir ${dirname(at)}/nvidia`);
      add(at, `symlink ${at} -> nvidia`);
      continue;
    }
    const sibling = files.find(
      (file) => file !== at && dirname(file) === dirname(at) && stem(file) === stem(at),
    );
    const target = sibling ?? `${at}.real`;
    add(target, `file ${target}`);
    add(at, `symlink ${at} -> ${number++ % 2 ? target : basename(target)}`);
  }
  return [...lines.values()];
}
