import type { Config } from "../config/config.ts";
import type { HostView } from "../model/host-view.ts";
import type { ContainerPath } from "../model/paths.ts";
import type { CompatLibrary } from "./server/cuda-compat.ts";

/** An image's forward compatibility: its directory, and what is in it. */
export interface Compat {
  readonly directory: ContainerPath;
  readonly library: CompatLibrary;
}

/** What discovery knows of the image that it finds files for. It decides where they go, never what is read. */
export interface ContainerFacts {
  /** /etc/debian_version exists. */
  readonly debianLike: boolean;
  /** /usr/lib/<triplet> exists. */
  readonly hasMultiarchDirectory: boolean;
  /** /usr/lib32 is a directory. */
  readonly hasLib32: boolean;
  /** /usr/lib is a directory and not the same one as /usr/lib64. */
  readonly hasSeparateLib: boolean;
  /** /proc/driver/nvidia exists: the container has a procfs, and the kernel a driver. */
  readonly hasProcDriver: boolean;
  /** Looks for the image's own libcuda for hosts with an older driver; asked on servers alone. */
  readonly compat: (host: HostView, config: Config) => Compat | undefined;
  /** Path of the image's own ldconfig. A script is none: musl's, say, makes no cache. */
  readonly ldconfig: string | undefined;
}
