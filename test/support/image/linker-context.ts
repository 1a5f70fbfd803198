import { copyFileSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { LOADER, TRIPLET } from "../../../fixtures/rootfs.ts";
import { mustRun } from "../../../fixtures/run/run-command.ts";

/**
 * Creates a directory for `docker build` with a linker, its libraries, and an unlinked program that calls
 * `answer()`. Copied to `/` of an image with glibc, `link-program FILE DIRECTORY LIBRARY` links it.
 */
export function makeLinkerContext(directory: string): void {
  const at = (name: string): string => join(directory, name);
  mkdirSync(at("opt/linker"), { recursive: true });
  mkdirSync(at("usr/bin"), { recursive: true });
  const linker = realpathSync(mustRun(["gcc", "-print-prog-name=ld"]).trim().replace(/^ld$/, "/usr/bin/ld"));
  copyFileSync(linker, at("opt/linker/ld"));
  for (const [path] of mustRun(["ldd", linker]).matchAll(/\/\S+\.so[.\d]*(?= \()/g)) {
    copyFileSync(realpathSync(path), at(`opt/linker/${basename(path)}`));
  }
  copyFileSync(mustRun(["gcc", "-print-file-name=crt1.o"]).trim(), at("opt/linker/crt1.o"));
  const source =
    'int answer(void); int puts(const char *); int main(void) { return answer() != 42 || puts("42") < 0; }\n';
  mustRun(["gcc", "-c", "-x", "c", "-o", at("opt/linker/program.o"), "-"], { input: source });
  const inputs = `/opt/linker/crt1.o /opt/linker/program.o -L "$2" -l ":$3" /usr/lib/${TRIPLET}/libc.so.6`;
  const link = `exec /opt/linker/ld -o "$1" -dynamic-linker ${LOADER} ${inputs}`;
  const script = `#!/bin/sh\nexport LD_LIBRARY_PATH=/opt/linker\n${link}\n`;
  writeFileSync(at("usr/bin/link-program"), script, { mode: 0o755 });
}
