/**
 * Runs the arm64 program under qemu's user emulation and compares it with this machine's.
 *
 * packaging/README.md lists what the emulator refuses. For those calls the test compares the numbers and layouts below with
 * the C compiler's. Mounts and cgroups are the host's.
 */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { mustRun } from "../../fixtures/run/run-command.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { syscallNumbers } from "../../src/sys/syscall-numbers.ts";
import { describeNeeding } from "../support/engines/prerequisites.ts";
import { ldCacheBytes } from "../support/host/ld-cache-bytes.ts";
import { madeAbiTag, madeCudaNote, noteElf } from "../support/host/note-elf.ts";
import { makeTree, randomTree, wildPath } from "../support/host/random-tree.ts";

const root = join(import.meta.dirname, "../..");
const QEMU = "/usr/bin/qemu-aarch64-static";

/** Offset and size of each member that src/ reads or writes. */
const LAYOUTS: Readonly<Record<string, readonly [offset: number, size: number]>> = {
  "struct open_how.flags": [0, 8],
  "struct open_how.mode": [8, 8],
  "struct open_how.resolve": [16, 8],
  "struct mount_attr.attr_set": [0, 8],
  "struct mount_attr.attr_clr": [8, 8],
  "struct mount_attr.propagation": [16, 8],
  "struct mount_attr.userns_fd": [24, 8],
  "struct statx.stx_nlink": [4 * 4, 4],
  "struct statx.stx_uid": [5 * 4, 4],
  "struct statx.stx_gid": [6 * 4, 4],
  "struct statx.stx_mode": [7 * 4, 2],
  "struct statx.stx_ino": [8 * 4, 8],
  "struct statx.stx_size": [10 * 4, 8],
  "struct statx.stx_ctime.tv_sec": [24 * 4, 8],
  "struct statx.stx_ctime.tv_nsec": [26 * 4, 4],
  "struct statx.stx_rdev_major": [32 * 4, 4],
  "struct statx.stx_rdev_minor": [33 * 4, 4],
  "struct statx.stx_dev_major": [34 * 4, 4],
  "struct statx.stx_dev_minor": [35 * 4, 4],
  "struct stat.st_dev": [0, 8],
  "struct stat.st_ino": [8, 8],
  "struct stat.st_mode": [16, 4],
  "struct stat.st_nlink": [20, 4],
  "struct stat.st_uid": [24, 4],
  "struct stat.st_gid": [28, 4],
  "struct stat.st_rdev": [32, 8],
  "struct stat.st_size": [48, 8],
  "struct stat.st_ctime": [104, 8],
  "struct statfs.f_type": [0, 8],
  "struct statfs.f_flags": [80, 8],
  "struct dirent64.d_reclen": [16, 2],
  "struct dirent64.d_type": [18, 1],
  "struct dirent64.d_name[0]": [19, 1],
  "struct sock_fprog.len": [0, 2],
  "struct sock_fprog.filter": [8, 8],
  "struct sock_filter.code": [0, 2],
  "struct sock_filter.jt": [2, 1],
  "struct sock_filter.jf": [3, 1],
  "struct sock_filter.k": [4, 4],
  "struct seccomp_data.nr": [0, 4],
  "struct seccomp_data.arch": [4, 4],
  "struct pollfd.fd": [0, 4],
  "struct pollfd.events": [4, 2],
  "struct pollfd.revents": [6, 2],
  "struct timespec.tv_nsec": [8, 8],
  "struct itimerval.it_value.tv_sec": [16, 8],
  "struct rlimit.rlim_max": [8, 8],
  "struct iovec.iov_len": [8, 8],
  "struct msghdr.msg_iov": [16, 8],
  "struct msghdr.msg_iovlen": [24, 8],
  "struct msghdr.msg_control": [32, 8],
  "struct msghdr.msg_controllen": [40, 8],
  "struct cmsghdr.cmsg_level": [8, 4],
  "struct cmsghdr.cmsg_type": [12, 4],
  "union bpf_attr.prog_type": [0, 4],
  "union bpf_attr.insn_cnt": [4, 4],
  "union bpf_attr.insns": [8, 8],
  "union bpf_attr.license": [16, 8],
  "union bpf_attr.query.target_fd": [0, 4],
  "union bpf_attr.query.attach_type": [4, 4],
  "union bpf_attr.query.attach_flags": [12, 4],
  "union bpf_attr.query.prog_ids": [16, 8],
  "union bpf_attr.query.prog_cnt": [24, 4],
  "union bpf_attr.info.info_len": [4, 4],
  "union bpf_attr.info.info": [8, 8],
  "struct bpf_prog_info.xlated_prog_len": [20, 4],
  "struct bpf_prog_info.xlated_prog_insns": [32, 8],
  "struct bpf_prog_info.nr_map_ids": [52, 4],
  "struct bpf_cgroup_dev_ctx.access_type": [0, 4],
  "struct bpf_cgroup_dev_ctx.major": [4, 4],
  "struct bpf_cgroup_dev_ctx.minor": [8, 4],
};

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A valid document of each format that a hook reads. */
const DOCUMENTS: readonly (readonly [format: string, bytes: Uint8Array])[] = [
  ["manifest", encode("# board\nlib, /usr/lib/libcuda.so.1.1\ndev, /dev/nvhost-ctrl\nsym, /usr/lib/x\n")],
  ["ld.so.cache", ldCacheBytes([{ name: "libcuda.so.1", path: "/usr/lib/libcuda.so.1" }])],
  [
    "config.toml",
    encode('disable-require = true\n[nvoci]\nldconfig = false\nalternate-roots = ["/a", "/b"]\n'),
  ],
  ["state", encode('{"ociVersion": "1.0.2", "id": "a", "status": "created", "pid": 4711, "bundle": "/b"}')],
  ["config.json", encode('{"root": {"path": "rootfs"}, "process": {"env": ["A=b"]}, "linux": {}}')],
  ["ELF", noteElf([madeCudaNote({ "CUDA Version": 13 }), madeAbiTag(0, 4, 9, 0)])],
];

/** Structures whose size is passed to the kernel, or that must fit into the buffer passed to it. */
const SIZES: Readonly<Record<string, number>> = {
  "struct open_how": 24,
  "struct mount_attr": 32,
  "struct sock_filter": 8,
  "struct sock_fprog": 16,
  "struct itimerval": 32,
  "struct msghdr": 56,
  "struct cmsghdr": 16,
  "struct bpf_insn": 8,
  "struct __user_cap_header_struct": 8,
  // capset(2) takes two.
  "struct __user_cap_data_struct": 12,
};

const program = (): string => `
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
int main(void) {
${Object.keys(LAYOUTS)
  .map((name) => {
    const [type, ...member] = name.split(".");
    const path = member.join(".");
    return `printf("${name} %zu %zu\\n", offsetof(${type}, ${path}), sizeof(((${type} *)0)->${path}));`;
  })
  .join("\n")}
${Object.keys(SIZES)
  .map((name) => `printf("${name} %zu\\n", sizeof(${name}));`)
  .join("\n")}
${Object.keys(syscallNumbers("arm64"))
  .map((name) => `#ifdef SYS_${name}\nprintf("${name} %d\\n", SYS_${name});\n#endif`)
  .join("\n")}
return 0; }
`;

describeNeeding(["an arm64 compiler", "qemu", "build"], "on arm64, emulated", () => {
  const directory = temporaryDirectory("arm64");
  afterAll(() => directory.remove());

  it("has the C compiler's structure layouts and call numbers", () => {
    const source = join(directory.path, "layouts.c");
    const compiled = join(directory.path, "layouts");
    writeFileSync(source, program());
    mustRun(["aarch64-linux-gnu-gcc", "-static", "-Wall", "-Werror", "-o", compiled, source]);
    const lines = mustRun([QEMU, compiled]).trim().split("\n");
    const layouts = Object.entries(LAYOUTS).map(([name, [offset, size]]) => `${name} ${offset} ${size}`);
    const sizes = Object.entries(SIZES).map(([name, size]) => `${name} ${size}`);
    const numbers = Object.entries(syscallNumbers("arm64")).map(([name, number]) => `${name} ${number}`);
    const found = lines.slice(layouts.length + sizes.length);
    expect(lines.slice(0, layouts.length + sizes.length)).toEqual([...layouts, ...sizes]);
    expect(found.length).toBeGreaterThan(numbers.length - 5);
    expect(numbers).toEqual(expect.arrayContaining(found));
  });

  describeNeeding([], "the program", () => {
    const out = join(directory.path, "dist");
    const main = "test/support/kernel/layouts-main.ts";
    beforeAll(() => {
      for (const arch of ["x86_64", "aarch64"]) {
        const words = [
          "build/run-typescript.mjs",
          "build/build.ts",
          "--arch",
          arch,
          "--out",
          out,
          "--main",
          main,
        ];
        mustRun([process.execPath, ...words], { cwd: root, timeout: 600_000 });
      }
    }, 900_000);
    const own = [join(out, "native/nvoci-linux-x86_64")];
    const arm64 = [QEMU, join(out, "native/nvoci-linux-aarch64")];
    const ask = (command: readonly string[], question: object) =>
      JSON.parse(mustRun([...command, JSON.stringify(question)])) as {
        trees: string[][];
        documents: string[];
        stat?: { mode: number; inode: number; type: string; size: number };
      };

    it("resolves paths in random trees as this machine's kernel does", () => {
      const reached = new Set<string>();
      const made = fc.sample(fc.tuple(randomTree, fc.array(wildPath, { minLength: 8, maxLength: 16 })), 60);
      const trees = made.map(([tree, paths], index) => {
        const path = join(directory.path, `tree-${index}`);
        mkdirSync(path);
        makeTree(path, tree);
        return { root: path, paths };
      });
      const expected = ask(own, { trees }).trees;
      expect(ask(arm64, { trees }).trees).toEqual(expected);
      for (const outcome of expected.flat()) reached.add(outcome.split(" ")[0] ?? "");
      expect([...reached].sort()).toEqual(["ELOOP", "ENOENT", "ENOTDIR", "directory", "file", "symlink"]);
    });

    it("reads documents as this machine's program does, whole and damaged", () => {
      const damage = fc.record({
        at: fc.nat(),
        cut: fc.nat(3),
        put: fc.array(fc.nat(255), { maxLength: 3 }),
      });
      const documents = DOCUMENTS.map(([format, whole]) => {
        const damaged = fc.sample(fc.array(damage, { minLength: 1, maxLength: 3 }), 25).map((places) => {
          const bytes = [...whole];
          for (const { at, cut, put } of places) bytes.splice(at % bytes.length, cut, ...put);
          return { format, bytes };
        });
        return [{ format, bytes: [...whole] }, ...damaged];
      });
      const answers = (program: readonly string[]) =>
        documents.flatMap((ofFormat) => ask(program, { documents: ofFormat }).documents);
      const expected = answers(own);
      expect(answers(arm64)).toEqual(expected);
      const refused = expected.filter((answer) => !/^[[{]/.test(answer));
      expect(refused.length).toBeGreaterThan(10);
      expect(expected.length - refused.length).toBeGreaterThan(10);
    });

    it.each(["/dev/null", "/etc/passwd", "/usr"])("reads the same metadata as stat(2) for %s", (path) => {
      const { ino, mode, size } = statSync(path);
      expect(ask(arm64, { stat: path }).stat).toMatchObject({ inode: ino, mode: mode & 0o7777, size });
      expect(ask(arm64, { stat: path })).toEqual(ask(own, { stat: path }));
    });
  });
});
