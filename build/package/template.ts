/**
 * Replaces each `@NAME@` in a template of packaging/.
 *
 * @throws Error for a name without a value.
 */
export const fillTemplate = (text: string, values: Readonly<Record<string, string | number>>): string =>
  text.replace(/@([A-Z][A-Z0-9_]*)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`Cannot fill the template: "@${name}@" has no value`);
    return `${value}`;
  });
