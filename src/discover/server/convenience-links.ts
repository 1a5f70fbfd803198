import type { Link } from "../../model/container-edits.ts";
import { basename, type ContainerPath, containerPath, dirname } from "../../model/paths.ts";

/** Links that programs expect beside a library and ldconfig does not make. */
const CONVENIENCE: readonly {
  /** Beginning of the library's file name. */
  readonly library: string;
  readonly name: string;
  /** The link's text; absent for the library's own file name. */
  readonly target?: string;
}[] = [
  { library: "libcuda.so", name: "libcuda.so", target: "libcuda.so.1" },
  { library: "libGLX_nvidia.so", name: "libGLX_indirect.so.0" },
  {
    library: "libnvidia-opticalflow.so",
    name: "libnvidia-opticalflow.so",
    target: "libnvidia-opticalflow.so.1",
  },
];

/** The links that belong beside a library in the container. */
export function convenienceLinks(library: ContainerPath, source: string): Link[] {
  return CONVENIENCE.filter((entry) => basename(library).startsWith(entry.library)).map((entry) => ({
    containerPath: containerPath(`${dirname(library)}/${entry.name}`),
    target: entry.target ?? basename(library),
    source,
  }));
}
