import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runCommand } from "../../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../../fixtures/run/temporary-directory.ts";
import { withFault } from "../../support/engines/inject-fault.ts";
import { describeNeeding } from "../../support/engines/prerequisites.ts";
import { withoutCalls } from "../../support/kernel/enosys.ts";

describeNeeding(["gcc"], "withoutCalls()", () => {
  it("makes a named call fail with ENOSYS in a command", () => {
    expect(runCommand(withoutCalls(["clone3", "openat2"], ["/bin/sh", "-c", "/bin/echo x"])).stdout).toBe(
      "x\n",
    );
    const names = ["getrandom", "memfd_create", "mknodat", "mount"];
    expect(runCommand(withoutCalls(names, ["mknod", "/tmp/never", "p"])).stderr).toContain("not implemented");
  });

  it("makes a call fail with another errno when requested", () => {
    const result = runCommand(withoutCalls(["mknodat"], ["mknod", "/tmp/never", "p"], 13));
    expect(result.stderr).toContain("Permission denied");
  });

  it("exits with status 2 for an unknown call", () => {
    expect(runCommand(withoutCalls(["no_such_call"], ["true"])).status).toBe(2);
  });
});

describeNeeding(["strace"], "withFault()", () => {
  it("makes only the n-th call fail", () => {
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
