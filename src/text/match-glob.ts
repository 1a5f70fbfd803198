/** Reports whether a text contains a wildcard character. A bracket need not be closed. */
export const hasWildcard = (text: string): boolean => /[*?[]/.test(text);

/** One element of a pattern: any run of characters, any character, one character, or one of a class. */
type Token =
  | { readonly kind: "run" }
  | { readonly kind: "any" }
  | { readonly kind: "literal"; readonly character: string }
  | {
      readonly kind: "class";
      readonly negated: boolean;
      readonly ranges: readonly (readonly [string, string])[];
    };

/** A compiled pattern. */
interface Glob {
  /** Reports whether the pattern matches the name. */
  matches(name: string): boolean;
  /** Returns how many steps of a budget the comparison costs at most. */
  cost(name: string): number;
}

/** No file name is longer, so a longer pattern would only waste time. */
const MAX_PATTERN_CHARACTERS = 255;

/** Comparisons of two characters that take about as long as one system call. */
const COMPARISONS_PER_STEP = 64;

/**
 * Compiles a shell pattern of `*`, `?` and `[…]` for file names.
 *
 * A class contains characters and ranges. `!` or `^` at its start negates it. `]` at its start and a bracket that
 * is never closed are literal. Only a dot matches a leading dot. There is no escape character. A comparison takes
 * at most (length of the name) × (length of the pattern) steps. A pattern of more than 255 characters matches
 * nothing.
 *
 * @param pattern one component of a path; a pattern that contains a slash matches nothing.
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

/** Reports whether a pattern matches a name, without keeping the compiled pattern; see {@link compileGlob}. */
export const matchGlob = (pattern: string, name: string): boolean => compileGlob(pattern).matches(name);

/** Matches with backtracking to the last run only; backtracking to an earlier one cannot help. */
function matchesAll(tokens: readonly Token[], characters: readonly string[]): boolean {
  let token = 0;
  let character = 0;
  // Where to continue when the last run turns out to be too short.
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

/** Returns the index of the bracket that closes the one at `open`, or -1. */
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
