import { type Build, nvociHook } from "./builds.ts";
import { type Bundle, type BundleOptions, makeBundle } from "./bundle.ts";
import type { FakeHost, FakeHostOptions } from "./fake-host.ts";
import { createFakeL4t, type FakeL4tOptions, ORIN_MANIFEST } from "./fake-l4t.ts";
import type { PrivateNamespace } from "./private-namespace.ts";
import type { CommandResult } from "./run-command.ts";

/** A fake Jetson that is switched on. */
export interface Jetson {
  readonly host: FakeHost;
  readonly place: PrivateNamespace;
  /** Paths of the host's made-up files, links and nodes, without its configuration. */
  readonly files: readonly string[];
  readonly links: readonly string[];
  readonly devices: readonly string[];
  readonly directories: readonly string[];
  close(): void;
}

/** Opens a fake Jetson with the small Orin manifest, or with what the options say. */
export async function openJetson(options: Partial<FakeL4tOptions> & FakeHostOptions = {}): Promise<Jetson> {
  const host = createFakeL4t({ manifests: { "l4t.csv": ORIN_MANIFEST }, ...options });
  const place = await host.open(options);
  const paths = (kind: string): string[] =>
    host.entries
      .filter((entry) => entry.kind === kind && !entry.path.startsWith("/etc/nvidia-container-runtime/"))
      .map(({ path }) => path);
  return {
    host,
    place,
    files: paths("file"),
    links: paths("link"),
    devices: paths("device"),
    directories: paths("directory"),
    close: () => {
      place.close();
      host.remove();
    },
  };
}

/** A bundle that asks for GPUs and has a build's hook. */
export const askingBundle = (build: Build, options: BundleOptions = {}): Bundle =>
  makeBundle({
    hooks: { prestart: [nvociHook(build)] },
    ...options,
    env: ["NVIDIA_VISIBLE_DEVICES=all", ...(options.env ?? [])],
  });

/** A command that prints content hashes and link texts, for comparing the host with a container. */
export const describeCommand = ({ files, links }: Pick<Jetson, "files" | "links">): string[] => [
  "sh",
  "-c",
  `sha256sum ${files.join(" ")} | sort; for link in ${links.join(" ")}; do echo "$link $(readlink $link)"; done`,
];

/** What `describeCommand` prints on the host. */
export const describeHost = (jetson: Jetson): CommandResult => jetson.place.run(describeCommand(jetson));

/** A command that prints type, number, mode and owner of device nodes, for comparing the host with a container. */
export const describeDevices = ({ devices }: Pick<Jetson, "devices">): string[] => [
  "/bin/busybox",
  "stat",
  "-c",
  "%n %F %t:%T %a %u:%g",
  ...devices,
];
