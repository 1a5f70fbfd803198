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

/** A pattern that is ready to be compared with many names. */
interface Glob {
  /** Whether the pattern matches the name. */
  matches(name: string): boolean;
  /** At most how many steps a budget is to be charged for that. */
  cost(name: string): number;
}

/** No name of a file is longer, so that a longer pattern is meant for nothing but our time. */
const MAX_PATTERN_CHARACTERS = 255;

/** So many comparisons of two characters take about as long as a system call. */
const COMPARISONS_PER_STEP = 64;

/**
 * Compiles a shell pattern of `*`, `?` and `[…]`, which is compared with the names of files.
 *
 * Classes hold characters and ranges, `!` or `^` first negates, `]` first stands for itself, and a bracket that is
 * never closed does too. A leading dot is matched by a dot only. There is no escape character.
 * A comparison takes at most name times pattern. A pattern of more than 255 characters matches nothing.
 *
 * @param pattern one component of a path; a slash in it matches nothing.
 * @see glob(7)
 */
export function compileGlob(pattern: string): Glob {
  if (pattern.length > MAX_PATTERN_CHARACTERS) return { matches: () => false, cost: () => 1 };
  const tokens = tokenize(Array.from(pattern));
  const matchesDot = pattern.startsWith(".");
  return {
    matches: (name) => (matchesDot || !name.startsWith(".")) && matchesAll(tokens, Array.from(name)),
    cost: (name) => 1 + Math.ceil((name.length * pattern.length) / COMPARISONS_PER_STEP),
  };
}

/** Whether a pattern that is used once matches a name; see {@link compileGlob}. */
export const matchGlob = (pattern: string, name: string): boolean => compileGlob(pattern).matches(name);

/** Goes back to the last run only: one before it could not do better. */
function matchesAll(tokens: readonly Token[], characters: readonly string[]): boolean {
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
