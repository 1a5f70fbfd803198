import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { runCommand } from "../../../fixtures/run/run-command.ts";
import { ARM64_EXECUTABLE, type Build, builds, isCurrent, pkgBuild } from "../build/builds.ts";
import { oldDpkg } from "../image/debian-roots.ts";
import { muslLoader } from "../image/musl-image.ts";

/** A requirement of some tests: how to detect it, and what to do if it is missing. */
interface Prerequisite {
  readonly holds: () => boolean;
  readonly remedy: string;
  /** No package can provide it, so CI skips the tests too. */
  readonly given?: true;
}

const has = (program: string): boolean =>
  ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/bin"].some((directory) =>
    existsSync(`${directory}/${program}`),
  );

const works = (script: string): boolean => {
  try {
    return runCommand(["unshare", "-m", "--propagation", "private", "sh", "-ec", script]).status === 0;
  } catch {
    return false;
  }
};

const PREREQUISITES = {
  root: { holds: () => process.getuid?.() === 0, remedy: "run as root" },
  namespaces: { holds: () => works("true"), remedy: "allow mount namespaces", given: true },
  overlayfs: {
    holds: () => works("mount -t overlay overlay -o lowerdir=/usr:/etc /mnt"),
    remedy: "use a kernel with overlayfs",
    given: true,
  },
  "cgroup v1": {
    holds: () => /\S+ \S+ cgroup \S*\bdevices\b/.test(readFileSync("/proc/self/mounts", "utf8")),
    remedy: "mount the devices controller",
    given: true,
  },
  "cgroup v2": {
    holds: () => works("umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup"),
    remedy: "use a kernel with cgroup v2",
    given: true,
  },
  "every capability": {
    holds: () => {
      const bounding = /^CapBnd:\s*(\w+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
      const last = Number(readFileSync("/proc/sys/kernel/cap_last_cap", "utf8"));
      return BigInt(`0x${bounding}`) === (1n << BigInt(last + 1)) - 1n;
    },
    remedy: "run where nothing is taken from root",
    given: true,
  },
  runc: { holds: () => has("runc"), remedy: "apt-get install runc" },
  crun: { holds: () => has("crun"), remedy: "apt-get install crun" },
  busybox: { holds: () => existsSync("/bin/busybox"), remedy: "apt-get install busybox-static" },
  gcc: { holds: () => has("gcc"), remedy: "apt-get install gcc libc6-dev" },
  strace: { holds: () => has("strace"), remedy: "apt-get install strace" },
  umoci: { holds: () => has("umoci"), remedy: "apt-get install umoci" },
  dockerd: { holds: () => has("dockerd"), remedy: "apt-get install docker.io" },
  containerd: { holds: () => has("containerd") && has("ctr"), remedy: "apt-get install containerd" },
  podman: { holds: () => has("podman"), remedy: "apt-get install podman" },
  systemd: {
    holds: () => has("systemctl") && existsSync("/lib/systemd/systemd"),
    remedy: "apt-get install systemd",
  },
  make: { holds: () => has("make") && has("gcc"), remedy: "apt-get install make gcc libc6-dev" },
  dpkg: { holds: () => has("dpkg-deb"), remedy: "apt-get install dpkg" },
  "an old dpkg": {
    holds: () => oldDpkg() !== undefined,
    remedy: "use a mirror that has Debian 11",
    given: true,
  },
  rpm: {
    holds: () => has("rpmbuild") && has("rpmlint") && has("bsdtar"),
    remedy: "apt-get install rpm rpmlint libarchive-tools",
  },
  "an SELinux policy": {
    holds: () => has("matchpathcon") && existsSync("/etc/selinux/default/contexts/files/file_contexts"),
    remedy: "apt-get install selinux-policy-default selinux-utils",
  },
  gpg: { holds: () => has("gpg") && has("gpgv"), remedy: "apt-get install gpg gpgv" },
  mmdebstrap: { holds: () => has("mmdebstrap"), remedy: "apt-get install mmdebstrap" },
  squashfs: { holds: () => has("sqfstar"), remedy: "apt-get install squashfs-tools" },
  "loop devices": {
    holds: () => works("test -b /dev/loop0 || test -c /dev/loop-control"),
    remedy: "load the module loop",
    given: true,
  },
  makepkg: {
    holds: () => has("makepkg") && has("pacman") && has("fakeroot"),
    remedy: "apt-get install makepkg pacman-package-manager fakeroot",
  },
  nix: { holds: () => has("nix-build"), remedy: "apt-get install nix-bin" },
  musl: {
    holds: () => muslLoader() !== undefined,
    remedy: "use a mirror that has Debian 12, on x86_64",
    given: true,
  },
  lintian: { holds: () => has("lintian"), remedy: "apt-get install lintian" },
  man: { holds: () => has("man") && has("groff"), remedy: "apt-get install man-db groff" },
  "an arm64 compiler": {
    holds: () => has("aarch64-linux-gnu-gcc"),
    remedy: "apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
  },
  qemu: { holds: () => has("qemu-aarch64-static"), remedy: "apt-get install qemu-user-static" },
  "the Node.js executable": { holds: () => pkgBuild !== undefined, remedy: "npm run package" },
  "the arm64 Node.js executable": {
    holds: () => isCurrent(ARM64_EXECUTABLE),
    remedy: "npm run package",
  },
  "an arm64 C++ library": {
    holds: () => existsSync("/usr/aarch64-linux-gnu/lib/libstdc++.so.6"),
    remedy: "apt-get install libstdc++6-arm64-cross",
  },
  apt: { holds: () => has("apt-get"), remedy: "use a system with apt", given: true },
  python3: { holds: () => has("python3"), remedy: "apt-get install python3" },
  build: { holds: () => builds().length > 0, remedy: "npm run build" },
} as const satisfies Record<string, Prerequisite>;

type PrerequisiteName = keyof typeof PREREQUISITES;

/** The prerequisites of a container test. */
export const CONTAINER: readonly PrerequisiteName[] = ["root", "namespaces", "overlayfs", "runc", "busybox"];

const known = new Map<PrerequisiteName, boolean>();

/** Returns the first missing prerequisite. Each is probed once per process. */
export function missing(names: readonly PrerequisiteName[]): PrerequisiteName | undefined {
  return names.find((name) => {
    if (!known.has(name)) known.set(name, PREREQUISITES[name].holds());
    return known.get(name) !== true;
  });
}

/**
 * Works like vitest's `describe` for tests with prerequisites. If one is missing, the tests are skipped, and the
 * title states what is missing and what to do. In CI (`CI=true`) they fail instead, unless no package could
 * provide it.
 */
export function describeNeeding(names: readonly PrerequisiteName[], title: string, tests: () => void): void {
  const lack = missing(names);
  if (lack === undefined) return void describe(title, tests);
  const { remedy, given }: Prerequisite = PREREQUISITES[lack];
  const reason = `${title} (needs ${lack}: ${remedy})`;
  if (process.env.CI !== "true" || given === true) describe.skip(reason, tests);
  else
    it(reason, () => {
      throw new Error(`Cannot run "${title}": ${lack} is missing: ${remedy}`);
    });
}

/** Calls `describeNeeding` for each build in dist/ and adds the build's name to the title. */
export function describeBuilds(
  names: readonly PrerequisiteName[],
  title: string,
  tests: (build: Build) => void,
): void {
  if (builds().length === 0) describeNeeding(["build"], title, () => {});
  for (const build of builds()) describeNeeding(names, `${title}, ${build.name} build`, () => tests(build));
}
