import { expect, it } from "vitest";
import { coverDirectory } from "../../../../src/execute/mount/cover-directory.ts";
import { containerPath } from "../../../../src/model/paths.ts";
import { SELINUX_MAGIC } from "../../../../src/sys/constants.ts";
import { Fd } from "../../../../src/sys/syscalls.ts";
import { fakeSyscalls } from "../../../support/kernel/fake-syscalls.ts";

const LABEL = "system_u:object_r:container_file_t:s0:c1,c2";
const PARENT = new Fd(5, "/etc");

/**
 * Returns the options of the covering file system, on a host with or without this magic number at /sys/fs/selinux.
 */
function optionsOf(mountLabel: string | undefined, selinux: number | undefined): unknown {
  const options: unknown[] = [];
  const system = fakeSyscalls({
    openat: (_, path) => new Fd(6, path),
    openatIfThere: (_, path) =>
      path === "/sys/fs/selinux" && selinux !== undefined ? new Fd(7, path) : undefined,
    fstatfs: () => ({ type: selinux ?? 0, flags: 0 }),
    mount: (_source, _target, type, _flags, data) => {
      if (type === "tmpfs") options.push(data);
    },
    close: () => {},
  });
  coverDirectory(
    { op: "cover-directory", path: containerPath("/etc/x"), files: [], directories: [], source: "test" },
    {
      system,
      rootfs: { directoryPlaceholder: () => ({ parent: PARENT, name: "x" }) },
      undo: { add: () => {} },
      mountLabel,
    },
  );
  expect(options).toHaveLength(1);
  return options[0];
}

it("coverDirectory() labels its file system if the kernel has SELinux and config.json a label", () => {
  const plain = optionsOf(undefined, SELINUX_MAGIC);
  expect(plain).not.toContain("context");
  expect(optionsOf(LABEL, SELINUX_MAGIC)).toBe(`${plain},context="${LABEL}"`);
});

it("coverDirectory() does not label it if /sys/fs/selinux is missing or something else", () => {
  expect(optionsOf(LABEL, undefined)).not.toContain("context");
  expect(optionsOf(LABEL, 0x62656572)).not.toContain("context");
});
