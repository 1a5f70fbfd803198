import { describe, expect, it } from "vitest";
import { flagNames, modeName } from "../../../src/sys/flag-names.ts";

describe("flagNames()", () => {
  it.each([
    ["O", 0, "O_RDONLY"],
    ["O", 0o10000000 | 0o200000, "O_DIRECTORY|O_PATH"],
    ["O", 0o1 | 0o100 | 0o200, "O_WRONLY|O_CREAT|O_EXCL"],
    ["MS", 0x5000, "MS_BIND|MS_REC"],
    ["MS", 0x1000 | 0x20 | 1, "MS_RDONLY|MS_REMOUNT|MS_BIND"],
    ["MNT", 2 | 8, "MNT_DETACH|UMOUNT_NOFOLLOW"],
    ["AT", 0x200, "AT_REMOVEDIR"],
    ["AT", 0, "0"],
    ["RESOLVE", 0x12, "RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT"],
    ["CLONE", 0x20200, "CLONE_FS|CLONE_NEWNS"],
    ["MOUNT_ATTR", 0xf, "MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC"],
    ["MFD", 3, "MFD_CLOEXEC|MFD_ALLOW_SEALING"],
    ["MS", 0x1000 | 0x80000000, "MS_BIND|0x80000000"],
  ] as const)("prints %s flags %s as %s", (set, value, text) => {
    expect(flagNames(set, value, "x64")).toBe(text);
  });

  it("uses arm64's own values for two flags of open(2)", () => {
    expect(flagNames("O", 0o40000, "arm64")).toBe("O_RDONLY|O_DIRECTORY");
    expect(flagNames("O", 0o100000, "arm64")).toBe("O_RDONLY|O_NOFOLLOW");
  });
});

describe("modeName()", () => {
  it.each([
    [0o755, "0755"],
    [0, "0000"],
    [0o100644, "S_IFREG|0644"],
    [0o020666, "S_IFCHR|0666"],
    [0o060660, "S_IFBLK|0660"],
  ])("prints %i as %s", (mode, text) => {
    expect(modeName(mode)).toBe(text);
  });
});
