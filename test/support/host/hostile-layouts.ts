import { existsSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/** An image that tries to lead the hook out of its root. */
interface HostileLayout {
  readonly name: string;
  /** Maps a path in the image to the target of the symbolic link there. */
  readonly links: Readonly<Record<string, string>>;
  /**
   * runc(8) 1.1 follows these links itself, so a canary proves nothing about the hook if runc creates the
   * container.
   */
  readonly runcFollows?: true;
  /** No runtime can create a container of it. */
  readonly refused?: true;
  /** An unreachable directory: the host's files below it are skipped. */
  readonly unreachable?: string;
}

/**
 * Returns layouts whose links lead to a host directory that must stay untouched.
 *
 * @param canary absolute path of that directory on the host.
 */
export function hostileLayouts(canary: string): readonly HostileLayout[] {
  const climb = `../../../../../../../../../..${canary}`;
  return [
    { name: "/usr/lib is an absolute link", links: { "/usr/lib": `${canary}/lib` } },
    { name: "the multiarch directory climbs", links: { "/usr/lib/aarch64-linux-gnu": climb } },
    {
      name: "a library is a link to a host file",
      links: {
        "/usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1.1": `${canary}/secret`,
        "/usr/lib/aarch64-linux-gnu/nvidia/libnvos.so": `${climb}/secret`,
      },
    },
    { name: "a directory is a link to the root", links: { "/usr/lib/aarch64-linux-gnu/nvidia": "/" } },
    {
      name: "a directory climbs above the root",
      links: { "/usr/lib/aarch64-linux-gnu/nvidia": "../../../../.." },
    },
    {
      name: "the linker's files are links",
      links: {
        "/etc/ld.so.conf.d": `${canary}/etc`,
        "/etc/ld.so.conf": `${canary}/secret`,
        "/etc/ld.so.cache": `${canary}/secret`,
      },
    },
    {
      name: "a directory is a link to one deeper than anybody makes",
      unreachable: "/usr/lib/aarch64-linux-gnu/nvidia",
      links: { "/usr/lib/aarch64-linux-gnu/nvidia": `/${"a/".repeat(1500)}` },
    },
    {
      name: "a directory is a link to a name longer than any",
      unreachable: "/usr/lib/aarch64-linux-gnu",
      links: { "/usr/lib/aarch64-linux-gnu": `/${"a".repeat(300)}` },
    },
    { name: "/etc is a link", links: { "/etc": canary } },
    { name: "/run and /tmp are links", links: { "/run": canary, "/tmp": canary } },
    { name: "/dev is a link", links: { "/dev": canary }, runcFollows: true },
    { name: "/proc is a link", links: { "/proc": canary }, refused: true },
    {
      name: "a loop",
      unreachable: "/usr/lib/aarch64-linux-gnu",
      links: { "/usr/lib/aarch64-linux-gnu": "aarch64-linux-gnu" },
    },
    {
      name: "a magic link",
      unreachable: "/usr/lib/aarch64-linux-gnu",
      links: {
        "/usr/lib/aarch64-linux-gnu": "/proc/1/root/usr/lib",
        "/etc/nv_tegra_release": "/proc/1/root/etc/passwd",
      },
    },
  ];
}

/** Creates a layout's links in an image. Existing files are renamed with `.image` appended. */
export function applyLayout(rootfs: string, layout: HostileLayout): void {
  for (const [path, text] of Object.entries(layout.links)) {
    const place = join(rootfs, path);
    if (existsSync(place)) renameSync(place, `${place}.image`);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(text, place);
  }
}
