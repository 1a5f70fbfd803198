/** Code points shown at most; longer text ends in `…`. */
const MAX_CODE_POINTS = 80;

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** First and last of each run of code points that must not reach a terminal as they are. */
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
 * Text of unknown origin, as one bounded, printable word between double quotes.
 *
 * Control characters become `\n` or `\u001b`, so that the text can neither end the line of an error nor steer
 * a terminal. What comes out is for people: it is not JSON and cannot be turned back once shortened.
 *
 * @param limit code points of the text shown at most.
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

/** The members of a comma-separated list: trimmed, without empty ones, each once, in the order of the text. */
export function splitList(text: string): string[] {
  const members = new Set<string>();
  for (const part of text.split(",")) {
    const member = part.trim();
    if (member !== "") members.add(member);
  }
  return [...members];
}

/** Whether the text has a C0 or C1 control character or DEL in it. */
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
