import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeRootfs, type RootfsKind } from "./rootfs.ts";
import { mustRun } from "./run-command.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** An entry of `hooks` in config.json. */
export interface HookEntry {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly timeout?: number;
}

/** What a bundle is made of. */
export interface BundleOptions {
  /** What is in the image, or how it is made. Default `debian`. */
  readonly rootfs?: RootfsKind | ((directory: string) => void);
  /** The container's environment besides PATH. */
  readonly env?: readonly string[];
  readonly hooks?: {
    readonly prestart?: readonly HookEntry[];
    readonly createRuntime?: readonly HookEntry[];
    readonly createContainer?: readonly HookEntry[];
    readonly poststart?: readonly HookEntry[];
    readonly poststop?: readonly HookEntry[];
  };
  /** Entries of `linux.devices`; each is allowed in the device cgroup too. */
  readonly devices?: readonly { path: string; type: string; major: number; minor: number }[];
  /** Mounts besides /proc, /dev, /dev/pts and /dev/shm. */
  readonly mounts?: readonly object[];
  readonly readonlyRoot?: boolean;
  /** Maps the container's ids to 100000 and up, and gives the image to its root. */
  readonly userNamespace?: boolean;
  readonly capabilities?: readonly string[];
  /** Last changes to config.json, for what the options above do not know. */
  readonly edit?: (config: Record<string, unknown>) => void;
}

/** A bundle on disk. */
export interface Bundle {
  readonly directory: string;
  readonly rootfs: string;
  /** The whole config.json, written again for each container. */
  readonly config: Record<string, unknown>;
  remove(): void;
}

/** What Docker gives to a container by default. */
const CAPABILITIES = [
  "CAP_AUDIT_WRITE",
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_MKNOD",
  "CAP_NET_BIND_SERVICE",
  "CAP_SETFCAP",
  "CAP_SETGID",
  "CAP_SETPCAP",
  "CAP_SETUID",
  "CAP_SYS_CHROOT",
];

const FIRST_ID = 100_000;

/**
 * Makes an OCI bundle that runc(8) can run without a network namespace.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config.md
 */
export function makeBundle(options: BundleOptions = {}): Bundle {
  const { path: directory, remove } = temporaryDirectory("bundle");
  const rootfs = join(directory, "rootfs");
  mkdirSync(rootfs);
  const { rootfs: image = "debian" } = options;
  if (typeof image === "string") makeRootfs(rootfs, image);
  else image(rootfs);
  if (options.userNamespace === true) {
    mustRun(["chmod", "755", directory]);
    mustRun(["chown", "-hR", `${FIRST_ID}:${FIRST_ID}`, rootfs]);
  }
  const config = bundleConfig(options);
  options.edit?.(config);
  writeFileSync(join(directory, "config.json"), JSON.stringify(config, null, 2));
  return { directory, rootfs, config, remove };
}

function bundleConfig(options: BundleOptions): Record<string, unknown> {
  const capabilities = options.capabilities ?? CAPABILITIES;
  const devices = options.devices ?? [];
  const ids = [{ containerID: 0, hostID: FIRST_ID, size: 65_536 }];
  const user = options.userNamespace === true;
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ["true"],
      env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", ...(options.env ?? [])],
      cwd: "/",
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [],
      noNewPrivileges: false,
    },
    root: { path: "rootfs", readonly: options.readonlyRoot === true },
    hostname: "container",
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755", "size=65536k"] },
      {
        destination: "/dev/pts",
        type: "devpts",
        source: "devpts",
        options: ["newinstance", "ptmxmode=0666"],
      },
      { destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["nosuid", "nodev", "mode=1777"] },
      ...(options.mounts ?? []),
    ],
    ...(options.hooks === undefined ? {} : { hooks: options.hooks }),
    linux: {
      namespaces: [...(user ? ["user"] : []), "pid", "mount", "ipc", "uts"].map((type) => ({ type })),
      ...(user ? { uidMappings: ids, gidMappings: ids } : {}),
      devices,
      resources: {
        devices: [
          { allow: false, access: "rwm" },
          ...devices.map(({ type, major, minor }) => ({ allow: true, type, major, minor, access: "rwm" })),
        ],
      },
    },
  };
}
