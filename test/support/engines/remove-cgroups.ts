import { runCommand } from "../../../fixtures/run/run-command.ts";

/** Removes every cgroup of that name and those below, in all hierarchies. One that is in use stays. */
export function removeCgroups(name: string): void {
  const options = ["-depth", "-type", "d", "(", "-name", name, "-o", "-path", `*/${name}/*`, ")"];
  runCommand(["find", "/sys/fs/cgroup", ...options, "-exec", "rmdir", "{}", ";"]);
}
