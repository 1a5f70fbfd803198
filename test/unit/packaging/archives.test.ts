import { describe, expect, it } from "vitest";
import { ar } from "../../../build/package/ar.ts";
import { type TarEntry, tarGz } from "../../../build/package/tar.ts";
import { readAr, readTarGz } from "../../support/image/archives.ts";

const EPOCH = 1_700_000_000;

const ENTRIES: readonly TarEntry[] = [
  { path: "usr/bin/a", content: "program", mode: 0o755 },
  { path: "usr/bin/b", link: "a" },
  { path: "usr/share/a-b", content: "" },
];

describe("tarGz()", () => {
  it("returns equal bytes for equal entries in any order", async () => {
    const [one, other] = [
      await tarGz(ENTRIES, EPOCH, "./"),
      await tarGz([...ENTRIES].reverse(), EPOCH, "./"),
    ];
    expect(one.equals(other)).toBe(true);
  });

  it("lists the directory itself first and every directory before its content", async () => {
    const names = (await readTarGz(await tarGz(ENTRIES, EPOCH, "./"))).map(({ header }) => header.name);
    expect(names).toEqual([
      ...["./", "./usr/", "./usr/bin/", "./usr/bin/a", "./usr/bin/b"],
      ...["./usr/share/", "./usr/share/a-b"],
    ]);
  });

  it("makes root the owner of everything, with one time and the requested modes", async () => {
    const headers = (await readTarGz(await tarGz(ENTRIES, EPOCH, "./"))).map(({ header }) => header);
    for (const { uid, gid, uname, gname, mtime } of headers) {
      expect({ uid, gid, uname, gname }).toEqual({ uid: 0, gid: 0, uname: "root", gname: "root" });
      expect(mtime?.getTime()).toBe(EPOCH * 1000);
    }
    const modes = headers.map(({ name, mode }) => [name, mode?.toString(8)]);
    expect(modes).toContainEqual(["./usr/bin/a", "755"]);
    expect(modes).toContainEqual(["./usr/share/a-b", "644"]);
    expect(modes).toContainEqual(["./usr/bin/", "755"]);
  });

  it("omits the directory that it is unpacked into", async () => {
    const [first] = await readTarGz(await tarGz(ENTRIES, EPOCH, ""));
    expect(first?.header.name).toBe("usr/");
  });

  it("refuses two entries with the same path", async () => {
    const twice = [...ENTRIES, { path: "usr/bin/a", content: "other" }];
    await expect(tarGz(twice, EPOCH, "./")).rejects.toThrow("usr/bin/a");
  });
});

describe("ar()", () => {
  const members = [
    { name: "debian-binary", content: Buffer.from("2.0\n") },
    { name: "odd", content: Buffer.from("odd") },
    { name: "last", content: Buffer.from("") },
  ];

  it("pads members of odd length", () => {
    expect(readAr(ar(members, EPOCH))).toEqual(members);
  });

  it.each(["a name of sixteen", "slash/", "", "é"])("refuses the member name %j", (name) => {
    expect(() => ar([{ name, content: Buffer.from("") }], EPOCH)).toThrow(JSON.stringify(name));
  });
});
