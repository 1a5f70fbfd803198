import { type Bundle, type BundleOptions, makeBundle } from "../../../fixtures/bundle.ts";
import type { FakeHost, FakeHostOptions } from "../../../fixtures/host/fake-host.ts";
import { createFakeL4t, type FakeL4tOptions, ORIN_MANIFEST } from "../../../fixtures/host/fake-l4t.ts";
import type { PrivateNamespace } from "../../../fixtures/run/private-namespace.ts";
import type { CommandResult } from "../../../fixtures/run/run-command.ts";
import type { Build } from "../build/builds.ts";
import { nvociHook } from "../build/builds.ts";

/** A running fake Jetson. */
export interface Jetson {
  readonly host: FakeHost;
  readonly place: PrivateNamespace;
  /** Paths of the host's generated files, links and nodes, without its configuration. */
  readonly files: readonly string[];
  readonly links: readonly string[];
  readonly devices: readonly string[];
  readonly directories: readonly string[];
  close(): void;
}

/** Opens a fake Jetson with the small Orin manifest, or as the options say. */
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

/** Creates a bundle that requests GPUs and has a build's hook. */
export const askingBundle = (build: Build, options: BundleOptions = {}): Bundle =>
  makeBundle({
    hooks: { prestart: [nvociHook(build)] },
    ...options,
    env: ["NVIDIA_VISIBLE_DEVICES=all", ...(options.env ?? [])],
  });

/** Returns a command that prints content hashes and link targets, to compare the host with a container. */
export const describeCommand = ({ files, links }: Pick<Jetson, "files" | "links">): string[] => [
  "sh",
  "-c",
  `sha256sum ${files.join(" ")} | sort; for link in ${links.join(" ")}; do echo "$link $(readlink $link)"; done`,
];

/** Returns the output of `describeCommand` on the host. */
export const describeHost = (jetson: Jetson): CommandResult => jetson.place.run(describeCommand(jetson));

/**
 * Returns a command that prints type, number, mode and owner of device nodes, to compare the host with a
 * container.
 */
export const describeDevices = ({ devices }: Pick<Jetson, "devices">): string[] => [
  "/bin/busybox",
  "stat",
  "-c",
  "%n %F %t:%T %a %u:%g",
  ...devices,
];
