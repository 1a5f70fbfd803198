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
  "a volume that covers a place that the driver needs",
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
      /** Makes a container from an image that `make` changes, with the volume at `destination`. */
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
      /** Checks that the container starts and has the files elsewhere. */
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
        ["an unprivileged user", { user: { uid: 1000, gid: 1000 } }],
      ])("keeps its ld.so.cache when the image's /etc is a link to it and the container runs as %s", (_, init) => {
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

      it("keeps its ld.so.cache when it is the container's /etc", () => {
        inVolume("ld.so.cache", "the user's");
        inVolume("passwd", "root:x:0:0");
        const before = snapshotTree(volume.path);
        startsWithRest(ask("/etc"), (path) => !isInEtc(path));
        expect(snapshotTree(volume.path)).toEqual(before);
      });

      it("gets no files owned by a user namespace's root, which could then write to them", () => {
        inVolume("ld.so.cache", "the host's");
        chmodSync(volume.path, 0o777);
        const before = snapshotTree(volume.path);
        const bundle = ask("/host-etc", linkEtc, { userNamespace: true });
        startsWithRest(bundle, (path) => !isInEtc(path));
        expect(snapshotTree(volume.path)).toEqual(before);
      });

      it.each([
        ["to the volume", "/host-etc"],
        ["into the volume", "/host-etc/x"],
        ["to a missing path in the volume", "/host-etc/made/deep"],
        ["to the volume by detours", "/usr/../host-etc/./x/.."],
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
      ])("keeps files, links and empty directories with names of the driver's files: %s", (mode) => {
        const place = `${NVIDIA}/libnvos.so`;
        inVolume("libnvos.so", "a place");
        inVolume("libcuda.so", "a file where the host has a link");
        symlinkSync("elsewhere", join(volume.path, "nvidia_icd.json"));
        mkdirSync(join(volume.path, "libnvrm_gpu.so"), { mode: 0o700 });
        const before = snapshotTree(volume.path);
        const bundle = ask(NVIDIA, undefined, { options: ["rbind", mode] });
        startsWithRest(bundle, (path) => !path.startsWith(NVIDIA) && !path.startsWith(`${LIBRARIES}/tegra`));
        expect(snapshotTree(volume.path)).toEqual(before);
        // A file of the right type is mounted upon.
        const host = jetson.place.run(["sha256sum", place]);
        expect(runContainer(bundle, ["sha256sum", place], jetson.place).stdout).toBe(host.stdout);
      });

      it("stays in place of a host's file when it is a file of the user", () => {
        const path = jetson.files.find((file) => file === "/etc/nvpmodel.conf") ?? "";
        inVolume("mine", "the user's");
        const bundle = ask(path, undefined, { source: "mine" });
        expect(runContainer(bundle, ["cat", path], jetson.place).stdout).toBe("the user's");
        startsWithRest(bundle, (file) => file !== path);
      });

      it("gets placeholders when it is a tmpfs that the runtime made for this container", () => {
        const bundle = ask("/unused", undefined, {
          mounts: [{ destination: NVIDIA, type: "tmpfs", source: "tmpfs", options: ["mode=755"] }],
        });
        expect(runContainer(bundle, describeCommand(jetson), jetson.place)).toMatchObject(
          describeHost(jetson),
        );
      });

      it("gets no placeholders when it is a tmpfs of the host", () => {
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

      it("cannot delay a start by minutes with dangling links of thousands of components", () => {
        const bundle = ask("/volume", (at) => {
          rmSync(at(LIBRARIES), { recursive: true, force: true });
          symlinkSync(`/k0/${"a/".repeat(2000)}`, at(LIBRARIES));
          for (let index = 0; index < 38; index++)
            symlinkSync(`/k${index + 1}/${"b/".repeat(2000)}`, at(`k${index}`));
        });
        // A generous ceiling for a loaded machine. Without a bound this takes more than a minute.
        const before = Date.now();
        startsWithRest(bundle, (path) => !isInLibraries(path));
        expect(Date.now() - before).toBeLessThan(30_000);
        expect(existsSync(join(bundle.rootfs, "k38"))).toBe(false);
      });

      it("is left alone in a user namespace, as are directories that its root may not write to", () => {
        const bundle = ask("/volume", undefined, { userNamespace: true });
        // The directory belongs to another user, so only root outside the namespace could write to it.
        mkdirSync(join(bundle.rootfs, NVIDIA), { recursive: true });
        chownSync(join(bundle.rootfs, NVIDIA), FIRST_ID + 7, FIRST_ID + 7);
        chownSync(join(bundle.rootfs, LIBRARIES), FIRST_ID, FIRST_ID);
        startsWithRest(bundle, (path) => !path.startsWith(NVIDIA) && !path.startsWith(`${LIBRARIES}/tegra`));
        expect(readdirSync(join(bundle.rootfs, NVIDIA))).toEqual([]);
      });

      it("keeps its pinned and dangling links to libraries when ldconfig reads it", () => {
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

      it("lets two simultaneous hooks on one root finish, each with its mounts", async () => {
        const bundle = ask("/volume");
        const containers = [
          await openBareContainer(bundle, jetson.place),
          await openBareContainer(bundle, jetson.place),
        ];
        try {
          // Slow mounts make the second hook start while the first one runs.
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

      it("loses nothing of a running container when another start on the same root fails", () => {
        const bundle = ask("/volume");
        const first = createContainer(bundle, undefined, jetson.place);
        try {
          // The second hook fails after the injection.
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

      it("does not keep `nvoci clean` from restoring what a killed hook set aside", () => {
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
