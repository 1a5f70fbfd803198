import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ORIN_MANIFEST } from "../../../fixtures/host/fake-l4t.ts";
import type { TreeEntry } from "../../../fixtures/host/tree-entry.ts";
import { compileC } from "../../../fixtures/run/compile-c.ts";
import { type Jetson, openJetson } from "./jetson.ts";

/** Path of the program that the fake host's configuration names as ldconfig. */
export const OTHER_LDCONFIG = "/opt/nvoci/ldconfig";

/** Programs that replace ldconfig. */
export const PROGRAMS = {
  /** Reports what it sees; see ldconfig-world.c. */
  world: () => staticProgram("ldconfig-world.c"),
  fails: () => misbehaving("FAILS"),
  crashes: () => misbehaving("CRASHES"),
  floods: () => misbehaving("FLOODS"),
  writesNothing: () => misbehaving("WRITES_NOTHING"),
  hangs: () => misbehaving("HANGS"),
  spins: () => misbehaving("SPINS"),
  forks: () => misbehaving("FORKS"),
  script: () => "#!/bin/sh\necho ran > /ran\n",
  dynamic: () => readFileSync("/usr/bin/env"),
} as const;

const staticProgram = (name: string, flags: readonly string[] = []): Uint8Array =>
  readFileSync(compileC(join(import.meta.dirname, name), flags));

const misbehaving = (mode: string): Uint8Array => staticProgram("ldconfig-misbehaves.c", [`-DMODE=${mode}`]);

/** Options of a host with another ldconfig. */
export interface OtherLdconfig {
  readonly program?: string | Uint8Array;
  /** More lines of config.toml; the first ones belong to `[nvidia-container-cli]`. */
  readonly config?: string;
  readonly manifest?: string;
  readonly more?: readonly TreeEntry[];
}

/** Opens a fake Jetson that has another program in place of ldconfig, or none. */
export function openWithLdconfig(options: OtherLdconfig): Promise<Jetson> {
  const { program, config = "", manifest = ORIN_MANIFEST, more = [] } = options;
  const text = `[nvidia-container-cli]\nldconfig = "@${OTHER_LDCONFIG}"\n${config}`;
  const path = OTHER_LDCONFIG;
  return openJetson({
    manifests: { "l4t.csv": manifest },
    more: [
      { kind: "file", path: "/etc/nvidia-container-runtime/config.toml", content: text },
      ...(program === undefined ? [] : [{ kind: "file", path, content: program, mode: 0o755 } as const]),
      ...more,
    ],
  });
}
