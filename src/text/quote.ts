/** Code points shown at most; a longer text ends in `…`. */
const MAX_CODE_POINTS = 80;

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** Ranges of code points that must not reach a terminal unescaped. */
const UNPRINTABLE: readonly (readonly [number, number])[] = [
  [0x00, 0x1f], // C0 controls
  [0x7f, 0x9f], // DEL, C1 controls
  [0xad, 0xad], // soft hyphen
  [0x61c, 0x61c], // Arabic letter mark
  [0x200b, 0x200f], // zero width, direction marks
  [0x2028, 0x202e], // line and paragraph separators, direction overrides
  [0x2060, 0x206f], // invisible operators, direction isolates
  [0xd800, 0xdfff], // half of a pair
  [0xfeff, 0xfeff], // byte order mark
  [0xfff9, 0xfffb], // interlinear annotation
];

/**
 * Quotes an untrusted text for a message: bounded, printable, and between double quotes.
 *
 * Control characters become `\n` or `\u001b`, so the text can neither end the line of an error nor control a
 * terminal. The result is not JSON, and a shortened text cannot be restored.
 *
 * @param limit code points shown at most.
 */
export function quote(text: string, limit: number = MAX_CODE_POINTS): string {
  let shown = "";
  let count = 0;
  for (const character of text) {
    if (count === limit) return `"${shown}…"`;
    shown += escapeCharacter(character);
    count += 1;
  }
  return `"${shown}"`;
}

function escapeCharacter(character: string): string {
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) as number;
  if (!UNPRINTABLE.some(([first, last]) => code >= first && code <= last)) return character;
  return `\\u${code.toString(16).padStart(4, "0")}`;
}

/** Splits a comma-separated list into its items: trimmed, in order, without empty ones and duplicates. */
export function splitList(text: string): string[] {
  const members = new Set<string>();
  for (const part of text.split(",")) {
    const member = part.trim();
    if (member !== "") members.add(member);
  }
  return [...members];
}

/** Reports whether a text contains a C0 or C1 control character or DEL. */
export function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}

const TRUE = ["1", "t", "T", "TRUE", "true", "True"];
const FALSE = ["0", "f", "F", "FALSE", "false", "False"];

/** Parses a boolean as Go's `strconv.ParseBool` does; `undefined` for any other text. */
export function parseBoolean(text: string): boolean | undefined {
  if (TRUE.includes(text)) return true;
  return FALSE.includes(text) ? false : undefined;
}
