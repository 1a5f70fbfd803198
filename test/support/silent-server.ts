import { spawn } from "node:child_process";
import { join } from "node:path";
import { compileC } from "./compile-c.ts";

/** A FUSE file system that is mounted, and that nobody answers for. See silent-server.c. */
export interface SilentServer {
  /** The operations that it was asked for since it was mounted. */
  asked(): readonly string[];
  /** Ends it: whoever waits gets an error. */
  close(): void;
}

/**
 * Mounts one over a file or directory.
 *
 * @param pid a process in whose mount namespace that is done.
 * @param polite whether it answers what a runtime asks that mounts it as a volume.
 */
export async function openSilentServer(pid: number, place: string, polite = false): Promise<SilentServer> {
  const program = compileC(join(import.meta.dirname, "silent-server.c"));
  const words = [`--mount=/proc/${pid}/ns/mnt`, "--", program, ...(polite ? ["-r"] : []), place];
  const server = spawn("/usr/bin/nsenter", words, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    server.stdout.on("data", (chunk) => {
      said += chunk;
      resolve();
    });
    server.once("close", () => reject(new Error(`Cannot mount "${place}": the server has ended`)));
  });
  return {
    asked: () => said.trim().split("\n").slice(1),
    close: () => void server.kill("SIGKILL"),
  };
}
