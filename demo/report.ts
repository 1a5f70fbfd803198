const isTerminal = process.stdout.isTTY === true;
const styled = (code: number, text: string) => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text);

/** The demo's output. */
export interface DemoReport {
  section(title: string): void;
  line(text: string): void;
  /** Prints a checked statement. */
  check(text: string, isTrue: boolean): void;
  /** Returns the number of false statements. */
  failures(): number;
}

/** Prints the demo's sections and counts failed checks. */
export function createReport(): DemoReport {
  let failures = 0;
  return {
    section: (title) => console.log(`${styled(1, title)}`),
    line: (text) => console.log(`    ${text}`),
    check(text, isTrue) {
      if (!isTrue) failures += 1;
      console.log(`${isTrue ? styled(32, " ok ") : styled(31, " NO ")}${text}`);
    },
    failures: () => failures,
  };
}
