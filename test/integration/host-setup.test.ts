import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { type TreeEntry, writeTree } from "../../fixtures/host/tree-entry.ts";
import { openNamespace, type PrivateNamespace } from "../../fixtures/run/private-namespace.ts";
import { temporaryDirectory } from "../../fixtures/run/temporary-directory.ts";
import { describeBuilds } from "../support/engines/prerequisites.ts";

const VERSION = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024\n";
const DEVICES =
  "Character devices:\n  1 mem\n195 nvidia\n234 nvidia-caps\n507 nvidia-uvm\n\nBlock devices:\n  8 sd\n";
/** Path of the test's own tree inside the namespace. */
const TREE = "/mnt";

const file = (path: string, content: string, mode = 0o644): TreeEntry => ({
  kind: "file",
  path,
  content,
  mode,
});
const gpu = (name: string): TreeEntry[] => [
  file(`/pci/${name}/vendor`, "0x10de\n"),
  file(`/pci/${name}/class`, "0x030200\n"),
];

/** A modprobe that logs its call and makes the kernel show the module. It fails for one module. */
const modprobe = (shell: string, log: string): string => `#!${shell}
{ echo "$0 $*"; tr '\\0' '\\n' < /proc/$$/environ; readlink /proc/$$/fd/0; umask; pwd; } >> ${log}-$1
test "$1" != nvidia-modeset || { echo 'modprobe: FATAL: Module nvidia-modeset not found' >&2; exit 1; }
module=/sys/module/$(echo $1 | tr - _)
mkdir $module && : > $module/initstate
test "$1" != nvidia || cp -r /sys/module/.driver/. /proc/driver/nvidia
`;

describeBuilds(["root", "namespaces", "busybox"], "nvoci system create-device-nodes", ({ path }) => {
  const opened: (() => void)[] = [];
  afterEach(() => {
    for (const close of opened.splice(0).reverse()) close();
  });

  /** Opens a server with two GPUs and no module loaded. Changes stay inside its namespace. */
  async function server(
    more: readonly TreeEntry[] = [],
    setup: readonly string[] = [],
  ): Promise<{ namespace: PrivateNamespace; tree: string }> {
    const { path: tree, remove } = temporaryDirectory("setup");
    opened.push(remove);
    writeTree(tree, [
      { kind: "directory", path: "/driver/nvidia" },
      file("/module/.driver/version", VERSION),
      file("/devices", DEVICES),
      file("/kernel/modprobe", `${TREE}/modprobe\n`),
      file("/modprobe", modprobe("/bin/sh", `${TREE}/log`), 0o755),
      ...gpu("0000:01:00.0"),
      ...gpu("0000:02:00.0"),
      ...more,
    ]);
    const namespace = await openNamespace([
      `mount --bind ${tree} ${TREE}`,
      `mount --bind ${tree}/driver /proc/driver`,
      `mount --bind ${tree}/devices /proc/devices`,
      `mount --bind ${tree}/pci /sys/bus/pci/devices`,
      `mount --bind ${tree}/module /sys/module`,
      `mount --bind ${tree}/kernel /proc/sys/kernel`,
      "mount -t tmpfs -o mode=0755 tmpfs /dev",
      "mknod -m 0666 /dev/null c 1 3",
      ...setup,
    ]);
    opened.push(() => namespace.close());
    return { namespace, tree };
  }

  const create = (namespace: PrivateNamespace, ...words: readonly string[]) =>
    namespace.run([path, "system", "create-device-nodes", ...words], {
      input: '{"state": "of a container"}',
      env: { LD_LIBRARY_PATH: "/nowhere", MODPROBE_OPTIONS: "--bogus" },
    });
  /** Returns a node's type, number, mode and owner, or a link's text. */
  const shown = (namespace: PrivateNamespace, ...paths: readonly string[]): string[] =>
    namespace
      .run(["stat", "-c", "%N %F %t:%T %a %u:%g", ...paths])
      .stdout.replaceAll("'", "")
      .trimEnd()
      .split("\n");
  const logOf = (tree: string, name: string): string[] =>
    readFileSync(join(tree, name), "utf8").trimEnd().split("\n");

  it("loads missing modules with the kernel's own program, without our environment and input", async () => {
    const { namespace, tree } = await server();
    const { status, stdout } = create(namespace);
    expect(stdout.split("\n").slice(0, 2)).toEqual([
      "loaded kernel module nvidia",
      "loaded kernel module nvidia-uvm",
    ]);
    for (const name of ["nvidia", "nvidia-uvm", "nvidia-modeset"]) {
      expect(logOf(tree, `log-${name}`)).toEqual([
        `${TREE}/modprobe ${name}`,
        "PATH=/sbin:/usr/sbin:/bin:/usr/bin",
        "/dev/null",
        "0022",
        "/",
      ]);
    }
    // One module fails to load.
    expect(status).toBe(1);
    expect(stdout).toMatch(/^warning: .*nvidia-modeset.*FATAL: Module nvidia-modeset not found/m);
  });

  it("makes nodes with their numbers and modes, and links to them, and does nothing the second time", async () => {
    const { namespace } = await server();
    create(namespace);
    const nodes = ["nvidiactl", "nvidia0", "nvidia1", "nvidia-uvm", "nvidia-uvm-tools"];
    expect(shown(namespace, ...nodes.map((name) => `/dev/${name}`))).toEqual([
      "/dev/nvidiactl character special file c3:ff 666 0:0",
      "/dev/nvidia0 character special file c3:0 666 0:0",
      "/dev/nvidia1 character special file c3:1 666 0:0",
      "/dev/nvidia-uvm character special file 1fb:0 666 0:0",
      "/dev/nvidia-uvm-tools character special file 1fb:1 666 0:0",
    ]);
    expect(namespace.run(["ls", "/dev/char"]).stdout.split("\n").filter(Boolean)).toEqual([
      "195:0",
      "195:1",
      "195:255",
      "507:0",
      "507:1",
    ]);
    // systemd follows the link.
    expect(namespace.run(["stat", "-L", "-c", "%t:%T", "/dev/char/507:1"]).stdout).toBe("1fb:1\n");
    expect(namespace.run(["ls", "/dev"]).stdout).not.toContain("modeset");
    expect(create(namespace).stdout).toMatch(/^warning: [^\n]*nvidia-modeset[^\n]*\n$/);
  });

  it("makes nodes as the driver's parameters say, whatever the umask is", async () => {
    const params = "ModifyDeviceFiles: 1\nDeviceFileUID: 11\nDeviceFileGID: 44\nDeviceFileMode: 432\n";
    const capability = "DeviceFileMinor: 300\nDeviceFileMode: 292\nDeviceFileModify: 1\n";
    const { namespace } = await server([
      file("/module/.driver/params", params),
      file("/module/.driver/capabilities/gpu0/mig/gi1/access", capability, 0o400),
    ]);
    namespace.run(["sh", "-c", `umask 077; exec ${path} system create-device-nodes`]);
    expect(shown(namespace, "/dev/nvidia0", "/dev/nvidia-caps", "/dev/nvidia-caps/nvidia-cap300")).toEqual([
      "/dev/nvidia0 character special file c3:0 660 11:44",
      "/dev/nvidia-caps directory 0:0 755 0:0",
      "/dev/nvidia-caps/nvidia-cap300 character special file ea:12c 444 0:0",
    ]);
  });

  it("replaces wrong files, and continues where one cannot be replaced", async () => {
    const { namespace } = await server(
      [],
      [
        "mkdir -p /dev/char /dev/nvidia0",
        "mknod /dev/nvidiactl c 195 7",
        "ln -s nowhere /dev/nvidia1",
        "ln -s ../nvidia9 /dev/char/195:255",
      ],
    );
    const { status, stdout } = create(namespace);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^warning: .*"\/dev\/nvidia0" cannot be created: .*EISDIR/m);
    expect(shown(namespace, "/dev/nvidiactl", "/dev/nvidia1", "/dev/char/195:255")).toEqual([
      "/dev/nvidiactl character special file c3:ff 666 0:0",
      "/dev/nvidia1 character special file c3:1 666 0:0",
      "/dev/char/195:255 -> ../nvidiactl symbolic link 0:0 777 0:0",
    ]);
    expect(namespace.run(["ls", "/dev/char"]).stdout).not.toContain("195:0");
  });

  it("changes nothing with --dry-run, and loads no module with --no-load-kmods", async () => {
    const { namespace, tree } = await server();
    expect(create(namespace, "--dry-run")).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("would load kernel module nvidia-uvm\n"),
    });
    expect(create(namespace, "--no-load-kmods")).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^warning: .*not loaded/),
    });
    expect(namespace.run(["ls", "/dev"]).stdout).toBe("null\n");
    expect(() => readFileSync(join(tree, "log-nvidia"))).toThrow("ENOENT");
  });

  it("makes no links in /dev/char with --no-dev-char", async () => {
    const { namespace } = await server();
    create(namespace, "--no-dev-char");
    expect(namespace.run(["ls", "/dev"]).stdout.split("\n")).toContain("nvidia-uvm-tools");
    expect(namespace.run(["ls", "/dev"]).stdout.split("\n")).not.toContain("char");
  });

  it("loads modules inside the driver's root", async () => {
    const root = `${TREE}/root`;
    const { namespace, tree } = await server(
      [
        file("/kernel/modprobe", "/sbin/modprobe\n"),
        file("/root/sbin/modprobe", modprobe("/bin/sh", "/log"), 0o755),
        file("/config.toml", `[nvidia-container-cli]\nroot = "${root}"\n`),
        ...["proc", "sys/module", "dev", "bin"].map(
          (name): TreeEntry => ({ kind: "directory", path: `/root/${name}` }),
        ),
      ],
      [
        `mount --rbind /proc ${root}/proc`,
        `mount --bind /sys/module ${root}/sys/module`,
        ...["sh", "tr", "echo", "readlink", "mkdir", "cp"].map(
          (name) => `cp /bin/busybox ${root}/bin/${name}`,
        ),
      ],
    );
    const { stdout } = create(namespace, `--config=${TREE}/config.toml`);
    expect(stdout).toContain("loaded kernel module nvidia-uvm\n");
    expect(logOf(join(tree, "root"), "log-nvidia").slice(0, 2)).toEqual([
      "/sbin/modprobe nvidia",
      "PATH=/sbin:/usr/sbin:/bin:/usr/bin",
    ]);
    expect(logOf(join(tree, "root"), "log-nvidia").at(-1)).toBe("/");
    expect(shown(namespace, "/dev/nvidiactl")).toHaveLength(1);
  });

  it.each([
    ["that does not exist", "/nowhere/modprobe", /execve\("\/nowhere\/modprobe"\) = -1 ENOENT/],
    ["that is not executable", `${TREE}/devices`, /execve\(.*\) = -1 EACCES/],
  ])("reports a modprobe %s, and makes nothing", async (_, program, words) => {
    const { namespace } = await server([file("/kernel/modprobe", `${program}\n`)]);
    const { status, stdout } = create(namespace);
    expect(status).toBe(1);
    expect(stdout.split("\n")).toEqual([expect.stringMatching(words), ""]);
    expect(namespace.run(["ls", "/dev"]).stdout).toBe("null\n");
  });

  it("changes nothing in a user namespace", async () => {
    const { namespace, tree } = await server();
    const { status, stdout } = namespace.run([
      "unshare",
      "--user",
      "--map-root-user",
      path,
      "system",
      "create-device-nodes",
    ]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^warning: .*user namespace/);
    expect(() => readFileSync(join(tree, "log-nvidia"))).toThrow("ENOENT");
  });
});
