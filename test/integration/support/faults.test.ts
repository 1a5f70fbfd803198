import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runCommand } from "../../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../../fixtures/run/temporary-directory.ts";
import { withFault } from "../../support/engines/inject-fault.ts";
import { describeNeeding } from "../../support/engines/prerequisites.ts";
import { withoutCalls } from "../../support/kernel/enosys.ts";

describeNeeding(["gcc"], "withoutCalls()", () => {
  it("answers ENOSYS to a named call in a command", () => {
    expect(runCommand(withoutCalls(["clone3", "openat2"], ["/bin/sh", "-c", "/bin/echo x"])).stdout).toBe(
      "x\n",
    );
    const names = ["getrandom", "memfd_create", "mknodat", "mount"];
    expect(runCommand(withoutCalls(names, ["mknod", "/tmp/never", "p"])).stderr).toContain("not implemented");
  });

  it("answers another errno when told to", () => {
    const result = runCommand(withoutCalls(["mknodat"], ["mknod", "/tmp/never", "p"], 13));
    expect(result.stderr).toContain("Permission denied");
  });

  it("ends with status 2 for a call it does not know", () => {
    expect(runCommand(withoutCalls(["no_such_call"], ["true"])).status).toBe(2);
  });
});

describeNeeding(["strace"], "withFault()", () => {
  it("lets the n-th call fail and no other", () => {
    const directory = temporaryDirectory("fault");
    const log = join(directory.path, "log");
    const script = "mkdir a; mkdir b c";
    const command = withFault({ call: "mkdir", when: 2, error: "ENOSPC" }, ["/bin/sh", "-c", script], log);
    const result = runCommand(command, { cwd: directory.path });
    expect(result.stderr).toContain("No space left on device");
    expect(readFileSync(log, "utf8")).toMatch(/mkdir\("c".*\(INJECTED\)/);
    expect(runCommand(["ls", directory.path]).stdout).toBe("a\nb\nlog\n");
    directory.remove();
  });
});
