import { CONTROL_NODES } from "./server-host.ts";

/** Returns lines for a host in memory: the PCI functions that the kernel shows, `[vendor, class]` each. */
export const pciTree = (...functions: readonly (readonly [vendor: string, type: string])[]): string[] =>
  functions.flatMap(([vendor, type], index) => [
    `file /sys/bus/pci/devices/0000:0${index}:00.0/vendor = "${vendor}\\n"`,
    `file /sys/bus/pci/devices/0000:0${index}:00.0/class = "${type}\\n"`,
  ]);

const MAJORS = "195 nvidia\\n234 nvidia-caps\\n235 nvidia-caps-imex-channels\\n507 nvidia-uvm";

/** A server with two GPUs and a running driver, but no device nodes. */
export const BARE_SERVER: readonly string[] = [
  'file /proc/driver/nvidia/version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14"',
  `file /proc/devices = "Character devices:\\n  1 mem\\n${MAJORS}\\n\\nBlock devices:\\n  8 sd\\n"`,
  'file /proc/self/uid_map = "         0          0 4294967295\\n"',
  'file /proc/self/gid_map = "         0          0 4294967295\\n"',
  "file /sys/module/nvidia/initstate",
  "file /sys/module/nvidia_uvm/initstate",
  "file /sys/module/nvidia_modeset/initstate",
  "dir /dev",
  ...pciTree(["0x8086", "0x030000"], ["0x10de", "0x030200"], ["0x10de", "0x040300"], ["0x10de", "0x030000"]),
];

/** The nodes that it needs, and the link by which systemd finds the first. */
export const ALL_NODES: readonly string[] = [
  ...CONTROL_NODES,
  "char /dev/nvidia0 195:0 0666",
  "char /dev/nvidia1 195:1 0666",
];

/** The links in /dev/char to all of them. */
export const ALL_LINKS: readonly string[] = [
  "symlink /dev/char/195:255 -> ../nvidiactl",
  "symlink /dev/char/507:0 -> ../nvidia-uvm",
  "symlink /dev/char/507:1 -> ../nvidia-uvm-tools",
  "symlink /dev/char/195:254 -> ../nvidia-modeset",
  "symlink /dev/char/195:0 -> ../nvidia0",
  "symlink /dev/char/195:1 -> ../nvidia1",
];
