import { runCommand } from "../../../fixtures/run/run-command.ts";

/** Removes every cgroup of that name and those below it, in all hierarchies, except those in use. */
export function removeCgroups(name: string): void {
  const options = ["-depth", "-type", "d", "(", "-name", name, "-o", "-path", `*/${name}/*`, ")"];
  runCommand(["find", "/sys/fs/cgroup", ...options, "-exec", "rmdir", "{}", ";"]);
}
