/** The members of a comma-separated list: trimmed, without empty ones, each once, in the order of the text. */
export function splitList(text: string): string[] {
  const members = new Set<string>();
  for (const part of text.split(",")) {
    const member = part.trim();
    if (member !== "") members.add(member);
  }
  return [...members];
}
