const isTerminal = process.stdout.isTTY === true;
const styled = (code, text) => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text);

/** Writes the demo's sections, and remembers whether everything was as it should be. */
export function createReport() {
  let failures = 0;
  return {
    section: (title) => console.log(`${styled(1, title)}`),
    line: (text) => console.log(`    ${text}`),
    /** A statement that was checked. */
    check(text, holds) {
      if (!holds) failures += 1;
      console.log(`${holds ? styled(32, " ok ") : styled(31, " NO ")}${text}`);
    },
    failures: () => failures,
  };
}
