/** A container's environment by name. */
export type Environment = ReadonlyMap<string, string>;

/**
 * Reads `NAME=value` entries. Of duplicates the last one holds, as for the process itself; an entry without `=`
 * is none.
 */
export function readEnvironment(env: readonly string[]): Environment {
  const environment = new Map<string, string>();
  for (const entry of env) {
    const equals = entry.indexOf("=");
    if (equals >= 0) environment.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return environment;
}
