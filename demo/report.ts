const isTerminal = process.stdout.isTTY === true;
const styled = (code: number, text: string) => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text);

/** What the demo writes to. */
export interface DemoReport {
  section(title: string): void;
  line(text: string): void;
  /** A statement that was checked. */
  check(text: string, holds: boolean): void;
  /** How many statements did not hold. */
  failures(): number;
}

/** Writes the demo's sections, and remembers whether everything was as it should be. */
export function createReport(): DemoReport {
  let failures = 0;
  return {
    section: (title) => console.log(`${styled(1, title)}`),
    line: (text) => console.log(`    ${text}`),
    check(text, holds) {
      if (!holds) failures += 1;
      console.log(`${holds ? styled(32, " ok ") : styled(31, " NO ")}${text}`);
    },
    failures: () => failures,
  };
}
