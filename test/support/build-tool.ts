import { join } from "node:path";

/** The root of the repository. */
export const REPOSITORY: string = join(import.meta.dirname, "../..");

/**
 * Imports one of the build's own modules, which have no types.
 *
 * @param file below build/.
 */
export const importBuildTool = <Exports>(file: string): Promise<Exports> =>
  import(join(REPOSITORY, "build", file)) as Promise<Exports>;
