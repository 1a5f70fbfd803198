import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builds } from "../support/build/builds.ts";
import { openBareContainer } from "../support/engines/bare-container.ts";
import { withFault } from "../support/engines/inject-fault.ts";
import { CONTAINER, describeNeeding } from "../support/engines/prerequisites.ts";
import { askingBundle, type Jetson, openJetson } from "../support/host/jetson.ts";
import { snapshotMounts } from "../support/host/snapshot.ts";
import { putThingsInTheWay } from "../support/host/things-in-the-way.ts";
import { MISSING_BEFORE, withoutCalls } from "../support/kernel/enosys.ts";

const CONFIG_FILE = "/etc/nvidia-container-runtime/config.toml";

/** A call that fails once, at each of its occurrences in turn. */
interface Sweep {
  readonly call: string;
  /** Default EPERM. For a few calls EPERM has a special meaning. */
  readonly error?: string;
  /** Failures, as strace(1) prints the call, that must not keep the container from starting. */
  readonly tolerated?: RegExp;
  /** The hook's message. It names the failed call, unless ldconfig fails. */
  readonly says?: RegExp;
  /** Ignores failures of ldconfig's own calls. */
  readonly ownCallsOnly?: true;
  /** Numbers of the calls that fail. Default all. */
  readonly only?: readonly number[];
}

/**
 * The hook tolerates a manifest that it cannot read, an entry that it cannot look up, a missing lock and an image's
 * ld.so.conf that it cannot read, which it opens through its descriptor's number.
 */
const OPENAT: Sweep = {
  call: "openat",
  tolerated:
    /host-files-for-container\.d|"\/dev\/dri"|AT_FDCWD, "[^"]+", O_RDONLY\|O_CLOEXEC\|O_PATH\)|"\.", O_RDONLY\|O_CLOEXEC\|O_DIRECTORY\)|"\/proc\/self\/fd\/\d+", O_RDONLY\|O_NONBLOCK\|O_CLOEXEC\)/,
  ownCallsOnly: true,
};

const HOOK: readonly Sweep[] = [
  { call: "open_tree" },
  { call: "mount_setattr" },
  { call: "move_mount" },
  { call: "mknodat" },
  { call: "mkdirat" },
  { call: "symlinkat" },
  { call: "renameat2" },
  // Files set aside are removed at the very end. Nothing is rolled back then, and a leftover does no harm.
  { call: "unlinkat", tolerated: /"\.nvoci-|"(?:libnvos\.so|libcuda\.so|tegra23x|ld\.so\.cache)", 0\)/ },
  { call: "openat2" },
  OPENAT,
  { call: "unshare" },
  { call: "setns" },
  { call: "ppoll" },
  { call: "wait4" },
  { call: "socketpair" },
  { call: "pipe2" },
  { call: "fchdir" },
  { call: "clone" },
];

const SANDBOX: readonly Sweep[] = [
  { call: "pivot_root" },
  { call: "mount", tolerated: /"\/(?:proc|sys|var\/cache)"/ },
  { call: "chdir" },
  { call: "dup3" },
  { call: "prlimit64", tolerated: /RLIMIT_STACK/ },
  // 64 calls drop a capability each; one of them is enough.
  { call: "prctl", tolerated: /PR_CAPBSET_DROP/, only: [1, 2, 3, 67] },
  { call: "setgroups", tolerated: /setgroups/ },
  { call: "setresgid" },
  { call: "setresuid" },
  { call: "capset" },
  { call: "close_range", tolerated: /close_range/ },
  // A failure of ldconfig is a finding.
  { call: "execveat", tolerated: /execveat/ },
  { call: "fsync", tolerated: /fsync/ },
  { call: "rename", tolerated: /rename/ },
  { call: "sendmsg" },
];

/**
 * Failures of the machine while the hook reads the host. The hook must not treat them as missing files, or the
 * container would start without part of the driver.
 */
const MACHINE_FAILURES: readonly Sweep[] = [
  ...["EIO", "ENOMEM", "EMFILE", "ENFILE", "EINTR"].map((error) => ({ call: "openat", error })),
  ...["read", "getdents64", "readlinkat", "statx"].map((call) => ({ call, error: "EIO" })),
  ...["getdents64", "readlinkat", "statx"].map((call) => ({ call, error: "ENOMEM" })),
];

const CGROUP_V1: readonly Sweep[] = [{ call: "write" }, OPENAT];
const CGROUP_V2: readonly Sweep[] = [{ call: "bpf", error: "EACCES" }, OPENAT];
const LINUX_4_9: readonly Sweep[] = [
  { call: "mount", tolerated: /"\/(?:proc|sys|var\/cache|dev\/?[^"]*)"/ },
  OPENAT,
  { call: "mknodat" },
  { call: "memfd_create" },
  { call: "sendfile" },
  { call: "fcntl" },
];

/** Calls that Node.js and its launcher also make. How those handle a failure is not the hook's responsibility. */
const NODE_MAKES_TOO = [
  "openat",
  "read",
  "getdents64",
  "readlinkat",
  "statx",
  "fcntl",
  "wait4",
  "pipe2",
  "clone",
  "prlimit64",
  "write",
];

function* naturalNumbers(): Generator<number> {
  for (let number = 1; ; number++) yield number;
}

interface Suite {
  readonly name: string;
  readonly cgroup: "host" | "v2";
  readonly sweeps: readonly Sweep[];
  /** Calls that the kernel lacks. */
  readonly missing?: readonly string[];
  /** Content of config.toml. */
  readonly config?: string;
}

const SUITES: readonly Suite[] = [
  { name: "in its own process", cgroup: "host", sweeps: HOOK },
  // Without ldconfig, whose calls do not matter here, every call is the hook's.
  {
    name: "on a failing machine",
    cgroup: "host",
    sweeps: MACHINE_FAILURES,
    config: "[nvoci]\nldconfig = false\n",
  },
  { name: "in ldconfig's sandbox", cgroup: "host", sweeps: SANDBOX },
  // strace(1) counts per process. Without ldconfig every write is the hook's.
  {
    name: "on a version 1 device cgroup",
    cgroup: "host",
    sweeps: CGROUP_V1,
    config: "[nvoci]\nldconfig = false\n",
  },
  { name: "on a version 2 device cgroup", cgroup: "v2", sweeps: CGROUP_V2 },
  { name: "on Linux 4.9", cgroup: "host", sweeps: LINUX_4_9, missing: MISSING_BEFORE["4.9"] },
];

describeNeeding(["build", ...CONTAINER, "cgroup v2", "strace", "gcc"], "a hook with one failing call", () => {
  const build = builds()[0] ?? { name: "native", path: "" };
  const ours = ({ call }: Sweep): boolean => build.name === "native" || !NODE_MAKES_TOO.includes(call);

  describe.each(SUITES)("$name", ({ cgroup, sweeps, missing, config }) => {
    let jetson: Jetson;
    const prestart = [build.path, "hook", "prestart"];
    const command = missing === undefined ? prestart : withoutCalls(missing, prestart);
    beforeAll(async () => {
      const more =
        config === undefined ? [] : [{ kind: "file", path: CONFIG_FILE, content: config } as const];
      jetson = await openJetson({ cgroup, more });
    });
    afterAll(() => jetson?.close());

    async function openSubject() {
      const bundle = askingBundle(build);
      putThingsInTheWay(bundle.rootfs);
      const container = await openBareContainer(bundle, jetson.place);
      const close = (): void => {
        container.close();
        bundle.remove();
      };
      return { ...container, before: container.snapshot(), close };
    }

    /** Returns the lines of all failed calls and of the hook's own, which the process id identifies. */
    function readInjected(log: string): { all: string[]; own: string[] } {
      const lines = readFileSync(log, "utf8").trimEnd().split("\n");
      const ownPid = lines.at(-1)?.split(" ")[0];
      const all = lines.filter((line) => line.includes("(INJECTED)"));
      return { all, own: all.filter((line) => line.startsWith(`${ownPid} `)) };
    }

    it.each(
      sweeps.filter(ours),
    )("fails and leaves nothing behind, for each $call that fails ($error)", async (sweep) => {
      const {
        call,
        tolerated,
        says = new RegExp(`\\b${call}\\(`),
        ownCallsOnly,
        only,
        error = "EPERM",
      } = sweep;
      const hostMounts = snapshotMounts(jetson.place.pid);
      const log = join(jetson.host.directory, `${call}.strace`);
      let subject = await openSubject();
      let failures = 0;
      try {
        for (const when of only ?? naturalNumbers()) {
          const { status, stdout, stderr } = subject.runHook(withFault({ call, when, error }, command, log));
          const { all, own } = readInjected(log);
          const at = `${call} ${when}: ${all.join("; ")}`;
          const counted = ownCallsOnly ? own : all;
          if (counted.length === 0) {
            expect(only, "makes fewer calls than that").toBeUndefined();
            break;
          }
          expect(stdout, at).toBe("");
          if (status === 0 && counted.every((line) => tolerated?.test(line))) {
            expect(stderr, at).toBe("");
            subject.close();
            subject = await openSubject();
            continue;
          }
          failures++;
          expect({ status, at }).toEqual({ status: 1, at });
          expect(stderr.split("\n")[0], at).toMatch(/^nvoci: Cannot \S+ .+: \S.*[^.]$/);
          expect(stderr, at).toMatch(says);
          expect(subject.snapshot(), at).toEqual(subject.before);
        }
      } finally {
        subject.close();
      }
      // A sweep without a failure would prove nothing.
      if (tolerated === undefined) expect(failures).toBeGreaterThan(0);
      expect(snapshotMounts(jetson.place.pid)).toEqual(hostMounts);
      expect(jetson.host.changes()).toEqual([]);
    });

    it("changes the container when no call fails", async () => {
      const subject = await openSubject();
      try {
        expect(subject.runHook(command)).toEqual({ status: 0, stdout: "", stderr: "" });
        const after = subject.snapshot();
        for (const part of ["files", "mounts", "deviceRules"] as const) {
          expect(after[part]).not.toEqual(subject.before[part]);
        }
        expect(after.files.filter((line) => line.includes(".nvoci-"))).toEqual([]);
      } finally {
        subject.close();
      }
    });
  });
});
