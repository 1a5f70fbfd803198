/**
 * `npm run demo`: makes a small Jetson-like host and an image in a private mount namespace, starts a container
 * with the hook, and shows what the container sees. It checks what it shows: the exit status is 1 when a check
 * fails. NVOCI_DEMO_RUNTIME=embedded (or runc) selects the runtime.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAM = join(import.meta.dirname, "../dist/nvoci");
const RUN = join(import.meta.dirname, "../build/run-typescript.mjs");

/** Reports whether a program is installed. */
const has = (program: string) =>
  ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].some((directory) =>
    existsSync(`${directory}/${program}`),
  );

/** Returns the first thing that the demo lacks, with a remedy. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "it needs root; run it with sudo";
  if (!existsSync(PROGRAM)) return "dist/nvoci is missing; run npm run build";
  const program = ["gcc", "unshare", "mount", "ldconfig", "ldd"].find((name) => !has(name));
  if (program !== undefined) return `${program} is missing; install it`;
  const wanted = process.env.NVOCI_DEMO_RUNTIME;
  if (wanted === "runc" && !has("runc"))
    return "runc is missing; install it, or set NVOCI_DEMO_RUNTIME=embedded";
  if (!["", "runc", "embedded"].includes(wanted ?? ""))
    return `"${wanted}" is not a runtime; set NVOCI_DEMO_RUNTIME to runc or embedded`;
  return undefined;
}

function demo(): number {
  const reason = obstacle();
  if (reason !== undefined) {
    console.error(`Cannot run the demo: ${reason}`);
    return 1;
  }
  const directory = mkdtempSync(join(tmpdir(), "nvoci-demo-"));
  const mounts = readFileSync("/proc/self/mountinfo", "utf8");
  try {
    const runtime = process.env.NVOCI_DEMO_RUNTIME || (has("runc") ? "runc" : "embedded");
    const inside = [
      process.execPath,
      RUN,
      join(import.meta.dirname, "inside.ts"),
      directory,
      PROGRAM,
      runtime,
    ];
    const argv = ["--mount", "--propagation", "private", "--", ...inside];
    const { status } = spawnSync("unshare", argv, { stdio: "inherit" });
    if (readFileSync("/proc/self/mountinfo", "utf8") === mounts) return status ?? 1;
    console.error("Cannot finish the demo: the host's mounts have changed");
    return 1;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

process.exitCode = demo();
