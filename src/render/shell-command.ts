import type { Command } from "../model/check.ts";
import { hasControlCharacter } from "../text/quote.ts";
import { encodeUtf8 } from "../text/utf8.ts";

/*
 * Small because every report that names a command uses it.
 */

/** Characters that a shell leaves alone. */
const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** Returns an ASCII control character or a quote as bash and busybox read it in $'…'; other characters unchanged. */
const escaped = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  if (character === "\\" || character === "'") return `\\${character}`;
  return code < 0x20 || (code >= 0x7f && code < 0xa0)
    ? [...encodeUtf8(character)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")
    : character;
};

/** Returns a word as a shell reads it back, without control characters. */
export function shellWord(word: string): string {
  if (PLAIN.test(word)) return word;
  return hasControlCharacter(word)
    ? `$'${[...word].map(escaped).join("")}'`
    : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Returns commands as one line for a shell, each after the success of the one before. */
export const renderCommands = (commands: readonly Command[]): string =>
  commands.map((command) => command.map(shellWord).join(" ")).join(" && ");
