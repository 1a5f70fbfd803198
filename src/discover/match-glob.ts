/** Whether a text holds a wildcard, closed or not. */
export const hasWildcard = (text: string): boolean => /[*?[]/.test(text);

/** One position of a pattern: any run, any character, one character, or one out of ranges. */
type Token =
  | { readonly kind: "run" }
  | { readonly kind: "any" }
  | { readonly kind: "literal"; readonly character: string }
  | {
      readonly kind: "class";
      readonly negated: boolean;
      readonly ranges: readonly (readonly [string, string])[];
    };

/**
 * Tells whether a file name matches a shell pattern of `*`, `?` and `[…]`.
 *
 * Classes hold characters and ranges, `!` or `^` first negates, `]` first stands for itself, and a bracket that is
 * never closed does too. A leading dot is matched by a dot only. There is no escape character.
 * Takes time of at most name times pattern.
 *
 * @param pattern one component of a path; a slash in it matches nothing.
 * @see glob(7)
 */
export function matchGlob(pattern: string, name: string): boolean {
  if (name.startsWith(".") && !pattern.startsWith(".")) return false;
  const tokens = tokenize(Array.from(pattern));
  const characters = Array.from(name);
  let token = 0;
  let character = 0;
  // Where to go on when the last run of any characters turns out too short.
  let retryToken = -1;
  let retryCharacter = 0;
  while (character < characters.length) {
    const current = tokens[token];
    if (current?.kind === "run") {
      retryToken = ++token;
      retryCharacter = character;
    } else if (current !== undefined && matchesOne(current, characters[character]!)) {
      token++;
      character++;
    } else if (retryToken >= 0) {
      token = retryToken;
      character = ++retryCharacter;
    } else {
      return false;
    }
  }
  while (tokens[token]?.kind === "run") token++;
  return token === tokens.length;
}

function matchesOne(token: Token, character: string): boolean {
  switch (token.kind) {
    case "any":
      return true;
    case "literal":
      return token.character === character;
    case "class":
      return token.ranges.some(([first, last]) => first <= character && character <= last) !== token.negated;
    default:
      return false;
  }
}

function tokenize(characters: readonly string[]): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    const end = character === "[" ? classEnd(characters, at) : -1;
    if (character === "*") tokens.push({ kind: "run" });
    else if (character === "?") tokens.push({ kind: "any" });
    else if (end < 0) tokens.push({ kind: "literal", character });
    else {
      tokens.push(toClass(characters.slice(at + 1, end)));
      at = end;
    }
  }
  return tokens;
}

const isNegation = (character: string | undefined): boolean => character === "!" || character === "^";

/** Position of the bracket that closes the one at `open`, or -1. */
function classEnd(characters: readonly string[], open: number): number {
  const first = open + (isNegation(characters[open + 1]) ? 2 : 1);
  return characters.indexOf("]", first + 1);
}

function toClass(content: readonly string[]): Token {
  const negated = isNegation(content[0]);
  const ranges: [string, string][] = [];
  for (let at = negated ? 1 : 0; at < content.length; at++) {
    const isRange = content[at + 1] === "-" && at + 2 < content.length;
    ranges.push([content[at]!, content[isRange ? at + 2 : at]!]);
    if (isRange) at += 2;
  }
  return { kind: "class", negated, ranges };
}
