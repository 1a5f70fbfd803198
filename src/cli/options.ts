/** Refuses an option that is given twice: yargs would hand over a list. */
const once =
  (name: string) =>
  (value: unknown): string | undefined => {
    if (Array.isArray(value)) throw new Error(`Option given more than once: ${name}`);
    return value as string | undefined;
  };

/** An option that takes one text, of the kind that `hint` names. */
export const textOption = (name: string, describe: string) =>
  ({ type: "string", requiresArg: true, coerce: once(name), describe }) as const;

/** The configuration file, for every command that reads it. */
export const CONFIG_OPTION = textOption("config", "configuration file instead of the usual one");

/** Output for programs. */
export const JSON_OPTION = { type: "boolean", default: false, describe: "print one JSON document" } as const;
