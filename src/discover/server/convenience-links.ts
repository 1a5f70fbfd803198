import type { Link } from "../../model/container-edits.ts";
import type { Source } from "../../model/finding.ts";
import { basename, type ContainerPath, containerPath, dirname } from "../../model/paths.ts";

/** Links that programs expect beside a library and ldconfig does not make. */
const CONVENIENCE: readonly {
  /** Beginning of the library's file name. */
  readonly library: string;
  /** From the library's directory. */
  readonly name: string;
  /** The link's text; `*` is the library's file name. */
  readonly target: string;
}[] = [
  { library: "libcuda.so", name: "libcuda.so", target: "libcuda.so.1" },
  { library: "libGLX_nvidia.so", name: "libGLX_indirect.so.0", target: "*" },
  {
    library: "libnvidia-opticalflow.so",
    name: "libnvidia-opticalflow.so",
    target: "libnvidia-opticalflow.so.1",
  },
  { library: "libvdpau_nvidia.so", name: "vdpau/libvdpau_nvidia.so.1", target: "../*" },
];

/** The links that belong beside a library in the container. */
export function convenienceLinks(library: ContainerPath, source: Source): Link[] {
  const file = basename(library);
  return CONVENIENCE.filter((entry) => file.startsWith(entry.library)).map(({ name, target }) => ({
    containerPath: containerPath(`${dirname(library)}/${name}`),
    target: target.replace("*", file),
    source,
  }));
}
