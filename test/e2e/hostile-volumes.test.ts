import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Bundle, BundleOptions } from "../../fixtures/bundle.ts";
import { compileC } from "../../fixtures/run/compile-c.ts";
import { createContainer, runContainer } from "../../fixtures/run/container.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { hookEntry } from "../support/build/builds.ts";
import { openBareContainer } from "../support/engines/bare-container.ts";
import { CONTAINER, describeBuilds } from "../support/engines/prerequisites.ts";
import {
  askingBundle,
  describeCommand,
  describeHost,
  type Jetson,
  openJetson,
} from "../support/host/jetson.ts";
import { snapshotTree } from "../support/host/snapshot.ts";
import { MISSING_BEFORE, withoutCalls } from "../support/kernel/enosys.ts";

const LIBRARIES = "/usr/lib/aarch64-linux-gnu";
const NVIDIA = `${LIBRARIES}/nvidia`;
const FIRST_ID = 100_000;

const KERNELS = [
  ["this kernel", []],
  ["Linux 4.9", MISSING_BEFORE["4.9"]],
] as const;

describeBuilds(
  [...CONTAINER, "gcc", "strace"],
  "a volume that an image or a user puts in the way",
  (build) => {
    let jetson: Jetson;
    beforeAll(async () => {
      jetson = await openJetson();
    });
    afterAll(() => jetson?.close());

    describe.each(KERNELS)("on %s", (_, missing) => {
      const prestart = [build.path, "hook", "-debug", "prestart"];
      const command = missing.length === 0 ? prestart : withoutCalls(missing, prestart);
      let volume: TemporaryDirectory;
      const bundles: Bundle[] = [];
      beforeEach(() => {
        volume = temporaryDirectory("volume");
        chmodSync(volume.path, 0o755);
        return () => {
          for (const bundle of bundles.splice(0)) bundle.remove();
          volume.remove();
        };
      });
      const inVolume = (path: string, content?: string): string => {
        const full = join(volume.path, path);
        mkdirSync(content === undefined ? full : join(full, ".."), { recursive: true });
        if (content !== undefined) writeFileSync(full, content);
        return full;
      };
      /** A container of an image that `make` has changed, with the volume at `destination`. */
      const ask = (
        destination: string,
        make: (at: (path: string) => string) => void = () => {},
        {
          options = ["rbind"],
          source = "",
          ...more
        }: BundleOptions & { options?: string[]; source?: string } = {},
      ): Bundle => {
        const mount = { destination, type: "bind", source: join(volume.path, source), options };
        const bundle = askingBundle(build, {
          hooks: { prestart: [hookEntry(command)] },
          mounts: [mount],
          ...more,
        });
        bundles.push(bundle);
        make((path) => join(bundle.rootfs, path));
        return bundle;
      };
      /** What the container that starts sees of files elsewhere. */
      const startsWithRest = (bundle: Bundle, isElsewhere: (path: string) => boolean): void => {
        const rest = { files: jetson.files.filter(isElsewhere), links: jetson.links.filter(isElsewhere) };
        const describing = describeCommand(rest);
        expect(runContainer(bundle, describing, jetson.place)).toMatchObject({
          status: 0,
          stdout: jetson.place.run(describing).stdout,
        });
      };
      const isInLibraries = (path: string): boolean => path.startsWith(LIBRARIES);
      const isInEtc = (path: string): boolean => path.startsWith("/etc/");

      const linkEtc = (at: (path: string) => string): void => {
        renameSync(at("etc"), at("etc-of-the-image"));
        symlinkSync("/host-etc", at("etc"));
      };

      it.each([
        ["root", {}],
        ["another user without rights", { user: { uid: 1000, gid: 1000 } }],
      ])("keeps its ld.so.cache though the image's /etc is a link to it, and the container's user is %s", (_, init) => {
        inVolume("ld.so.cache", "the host's");
        inVolume("passwd", "root:x:0:0");
        const before = snapshotTree(volume.path);
        const bundle = ask("/host-etc", linkEtc, {
          capabilities: [],
          edit: (config) => Object.assign(config.process as object, init, { noNewPrivileges: true }),
        });
        startsWithRest(bundle, (path) => !isInEtc(path));
        expect(snapshotTree(volume.path)).toEqual(before);
      });

      it("keeps its ld.so.cache where it is the container's /etc", () => {
        inVolume("ld.so.cache", "the user's");
        inVolume("passwd", "root:x:0:0");
        const before = snapshotTree(volume.path);
        startsWithRest(ask("/etc"), (path) => !isInEtc(path));
        expect(snapshotTree(volume.path)).toEqual(before);
      });

      it("gets no files of the container's root in a user namespace, which could write to them from then on", () => {
        inVolume("ld.so.cache", "the host's");
        chmodSync(volume.path, 0o777);
        const before = snapshotTree(volume.path);
        const bundle = ask("/host-etc", linkEtc, { userNamespace: true });
        startsWithRest(bundle, (path) => !isInEtc(path));
        expect(snapshotTree(volume.path)).toEqual(before);
      });

      it.each([
        ["to it", "/host-etc"],
        ["below it", "/host-etc/x"],
        ["to nothing in it", "/host-etc/made/deep"],
        ["by detours", "/usr/../host-etc/./x/.."],
      ])("gets nothing from an image whose library directory is a link %s", (_, target) => {
        inVolume("x");
        inVolume("libnvos.so", "the user's");
        inVolume("x/libcuda.so", "the user's");
        symlinkSync("/nowhere", join(volume.path, "nvidia_icd.json"));
        const before = snapshotTree(volume.path);
        const bundle = ask("/host-etc", (at) => {
          rmSync(at(LIBRARIES), { recursive: true, force: true });
          symlinkSync(target, at(LIBRARIES));
        });
        startsWithRest(bundle, (path) => !isInLibraries(path));
        expect(snapshotTree(volume.path)).toEqual(before);
      });

      it.each([
        "rw",
        "ro",
      ])("keeps files, links and empty directories with the names of the driver's: %s", (mode) => {
        const place = `${NVIDIA}/libnvos.so`;
        inVolume("libnvos.so", "a place");
        inVolume("libcuda.so", "a file where the host has a link");
        symlinkSync("elsewhere", join(volume.path, "nvidia_icd.json"));
        mkdirSync(join(volume.path, "libnvrm_gpu.so"), { mode: 0o700 });
        const before = snapshotTree(volume.path);
        const bundle = ask(NVIDIA, undefined, { options: ["rbind", mode] });
        startsWithRest(bundle, (path) => !path.startsWith(NVIDIA) && !path.startsWith(`${LIBRARIES}/tegra`));
        expect(snapshotTree(volume.path)).toEqual(before);
        // What has the right type is mounted upon.
        const host = jetson.place.run(["sha256sum", place]);
        expect(runContainer(bundle, ["sha256sum", place], jetson.place).stdout).toBe(host.stdout);
      });

      it("stays the user's where it is a file for one of the host's files", () => {
        const path = jetson.files.find((file) => file === "/etc/nvpmodel.conf") ?? "";
        inVolume("mine", "the user's");
        const bundle = ask(path, undefined, { source: "mine" });
        expect(runContainer(bundle, ["cat", path], jetson.place).stdout).toBe("the user's");
        startsWithRest(bundle, (file) => file !== path);
      });

      it("is made upon when it is a file system in memory that the runtime made for this container", () => {
        const bundle = ask("/unused", undefined, {
          mounts: [{ destination: NVIDIA, type: "tmpfs", source: "tmpfs", options: ["mode=755"] }],
        });
        expect(runContainer(bundle, describeCommand(jetson), jetson.place)).toMatchObject(
          describeHost(jetson),
        );
      });

      it("is not made upon when it is a file system in memory of the host", () => {
        const host = inVolume("memory");
        jetson.place.run(["mount", "-t", "tmpfs", "tmpfs", host]);
        try {
          const bundle = ask(NVIDIA, undefined, { source: "memory" });
          expect(runContainer(bundle, ["ls", "-A", NVIDIA], jetson.place).stdout).toBe("");
          expect(jetson.place.run(["ls", "-A", host]).stdout).toBe("");
        } finally {
          jetson.place.run(["umount", host]);
        }
      });

      it("cannot cost a start minutes by dangling links with thousands of components", () => {
        const bundle = ask("/volume", (at) => {
          rmSync(at(LIBRARIES), { recursive: true, force: true });
          symlinkSync(`/k0/${"a/".repeat(2000)}`, at(LIBRARIES));
          for (let index = 0; index < 38; index++)
            symlinkSync(`/k${index + 1}/${"b/".repeat(2000)}`, at(`k${index}`));
        });
        // A ceiling for a loaded machine: it took more than a minute.
        const before = Date.now();
        startsWithRest(bundle, (path) => !isInLibraries(path));
        expect(Date.now() - before).toBeLessThan(30_000);
        expect(existsSync(join(bundle.rootfs, "k38"))).toBe(false);
      });

      it("in a user namespace is left alone with what else its root may not write to", () => {
        const bundle = ask("/volume", undefined, { userNamespace: true });
        // A directory of the image that is another's: root outside could write to it.
        mkdirSync(join(bundle.rootfs, NVIDIA), { recursive: true });
        chownSync(join(bundle.rootfs, NVIDIA), FIRST_ID + 7, FIRST_ID + 7);
        chownSync(join(bundle.rootfs, LIBRARIES), FIRST_ID, FIRST_ID);
        startsWithRest(bundle, (path) => !path.startsWith(NVIDIA) && !path.startsWith(`${LIBRARIES}/tegra`));
        expect(readdirSync(join(bundle.rootfs, NVIDIA))).toEqual([]);
      });

      it("keeps its links to libraries, pinned and dangling ones, where ldconfig looks into it", () => {
        const library = compileC(join(import.meta.dirname, "../support/host/pinned-library.c"), [
          "-shared",
          "-nostdlib",
          "-Wl,-soname,libtool.so.1",
        ]);
        for (const name of ["libtool.so.1.0", "libtool.so.1.1"])
          copyFileSync(library, join(volume.path, name));
        symlinkSync("libtool.so.1.0", join(volume.path, "libtool.so.1"));
        symlinkSync("libgone.so.1.0", join(volume.path, "libgone.so.1"));
        const before = snapshotTree(volume.path);
        const bundle = ask("/opt/tools", (at) => writeFileSync(at("etc/ld.so.conf"), "/opt/tools\n"));
        startsWithRest(bundle, () => true);
        expect(snapshotTree(volume.path)).toEqual(before);
        const { stdout } = runContainer(bundle, ["ldconfig", "-p"], jetson.place);
        expect(stdout).toMatch(/libtool\.so\.1 .*=> \/opt\/tools\/libtool\.so\.1\n/);
      });

      it("two hooks at once on one root both finish, and each has its mounts", async () => {
        const bundle = ask("/volume");
        const containers = [
          await openBareContainer(bundle, jetson.place),
          await openBareContainer(bundle, jetson.place),
        ];
        try {
          // Each mount takes so long that the second hook comes while the first one works.
          const slow = [
            "strace",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "inject=mount,move_mount:delay_enter=10000",
          ];
          const states = containers.map(({ pid }) =>
            JSON.stringify({
              ociVersion: "1.0.2",
              id: "bare",
              status: "created",
              pid,
              bundle: bundle.directory,
            }),
          );
          const both = 'a=$1 b=$2; shift 2; echo "$a" | "$@" & echo "$b" | "$@"; b=$?; wait $!; echo $? $b';
          const { stdout, stderr } = jetson.place.run([
            "sh",
            "-c",
            both,
            "sh",
            ...states,
            ...slow,
            ...command,
          ]);
          expect({ stdout, stderr }).toEqual({ stdout: "0 0\n", stderr: "" });
          const [first, second] = containers.map((container) => container.snapshot());
          const mounted = (lines: readonly string[] = []): number =>
            lines.filter((line) => line.includes(`${LIBRARIES}/`)).length;
          expect(mounted(first?.mounts)).toBeGreaterThan(0);
          expect(mounted(second?.mounts)).toBe(mounted(first?.mounts));
          expect(second?.files).toEqual(first?.files);
          expect(first?.files.filter((line) => line.includes(".nvoci-"))).toEqual([]);
        } finally {
          for (const container of containers) container.close();
        }
      });

      it("two starts on one root: the one that fails takes nothing from the one that runs", () => {
        const bundle = ask("/volume");
        const first = createContainer(bundle, undefined, jetson.place);
        try {
          // Its own second hook fails it, after the injection.
          const failing = {
            ...bundle,
            config: {
              ...bundle.config,
              hooks: { prestart: [hookEntry(command), hookEntry(["/bin/false"])] },
            },
          };
          expect(runContainer(failing, ["true"], jetson.place).status).not.toBe(0);
          first.start();
          const { stdout } = first.exec(describeCommand(jetson));
          expect(stdout).toBe(describeHost(jetson).stdout);
        } finally {
          first.delete();
        }
      });

      it("what a killed hook has set aside is back after `nvoci clean`", () => {
        const bundle = ask("/volume");
        const at = (path: string): string => join(bundle.rootfs, path);
        mkdirSync(at(`${NVIDIA}/.nvoci-aside`), { recursive: true });
        symlinkSync("/old", at(`${NVIDIA}/.nvoci-aside/libnvos.so`));
        writeFileSync(at(`${NVIDIA}/libnvos.so`), "");
        writeFileSync(at(`${NVIDIA}/precious`), "content");
        writeFileSync(at(`${NVIDIA}/.nvoci-aside/precious`), "planted");
        mkdirSync(at("etc/.nvoci-77-cache"));
        writeFileSync(at("etc/.nvoci-77-cache/ld.so.cache~"), "draft");
        symlinkSync(volume.path, at("outside"));
        mkdirSync(join(volume.path, ".nvoci-aside"));
        writeFileSync(join(volume.path, ".nvoci-aside/x"), "another's");
        const program = missing.length === 0 ? [build.path] : withoutCalls(missing, [build.path]);
        const { status, stdout } = jetson.place.run([...program, "clean", bundle.rootfs]);
        expect(stdout.trim().split("\n").sort()).toEqual([
          expect.stringContaining(`left "${NVIDIA}/.nvoci-aside/precious"`),
          `put back "${NVIDIA}/libnvos.so"`,
          'removed "/etc/.nvoci-77-cache"',
        ]);
        expect(status).toBe(1);
        expect(readFileSync(at(`${NVIDIA}/precious`), "utf8")).toBe("content");
        expect(readdirSync(at("etc")).filter((name) => name.startsWith(".nvoci-"))).toEqual([]);
        expect(readdirSync(join(volume.path, ".nvoci-aside"))).toEqual(["x"]);
        rmSync(at(`${NVIDIA}/.nvoci-aside`), { recursive: true });
        expect(jetson.place.run([...program, "clean", bundle.rootfs])).toMatchObject({
          status: 0,
          stdout: "nothing to clean\n",
        });
      });
    });
  },
);
