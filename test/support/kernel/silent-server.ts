import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { compileC } from "../../../fixtures/run/compile-c.ts";
import { temporaryDirectory } from "../../../fixtures/run/temporary-directory.ts";

/** A mounted FUSE file system that never answers. See silent-server.c. */
interface SilentServer {
  /** Returns the operations that it received since it was mounted. */
  asked(): readonly string[];
  /** Ends it: pending requests fail. */
  close(): void;
}

/**
 * Mounts a silent server over a file or directory.
 *
 * @param pid a process in whose mount namespace it is mounted.
 * @param polite whether it answers the requests of a runtime that mounts it as a volume.
 */
export async function openSilentServer(pid: number, place: string, polite = false): Promise<SilentServer> {
  const program = compileC(join(import.meta.dirname, "silent-server.c"));
  const directory = temporaryDirectory("silent-server");
  // A file rather than a pipe: this process cannot read a pipe while it waits for a hook.
  const log = join(directory.path, "log");
  const output = openSync(log, "w");
  const words = [`--mount=/proc/${pid}/ns/mnt`, "--", program, ...(polite ? ["-r"] : []), place];
  const server = spawn("/usr/bin/nsenter", words, { stdio: ["ignore", output, "inherit"] });
  closeSync(output);
  const lines = (): string[] => readFileSync(log, "utf8").split("\n").slice(0, -1);
  while (lines().length === 0) {
    if (server.exitCode !== null) throw new Error(`Cannot mount "${place}": the server has ended`);
    await setTimeout(5);
  }
  return {
    asked: () => lines().slice(1),
    close: () => {
      server.kill("SIGKILL");
      directory.remove();
    },
  };
}
