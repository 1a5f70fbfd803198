import type { Check, Command } from "../model/check.ts";
import { CHECK_WORDS, type Words } from "./check-words.ts";
import { counted } from "./text.ts";

const INDENT = "      ";

/** Returns the words for a result. */
export const wordsOf = ({ code, args }: Check): Words =>
  (CHECK_WORDS[code] as (values: unknown) => Words)(args);

/** Characters that a shell leaves alone. */
const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** Returns a word as a shell reads it back. */
const shellWord = (word: string): string => (PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** Returns commands as one line for a shell, each after the success of the one before. */
export const renderCommands = (commands: readonly Command[]): string =>
  commands.map((command) => command.map(shellWord).join(" ")).join(" && ");

/** Returns the lines of a result: status and text, then what it means, and the command that mends it. */
export function renderCheck(result: Check, verbose: boolean): string[] {
  const { text, means, fix = [], details = [], names = [] } = wordsOf(result);
  return [
    `${result.status.padEnd(4)}  ${text}`,
    ...(means === undefined ? [] : [`${INDENT}${means}`]),
    ...(fix.length === 0 ? [] : [`${INDENT}fix: ${renderCommands(fix)}`]),
    ...details.map((line) => `${INDENT}${line}`),
    ...(verbose ? names.map((name) => `${INDENT}${name}`) : []),
  ];
}

/** Returns the last line: whether containers can get their GPUs. */
export function renderHealth(checks: readonly Check[]): string {
  const count = (status: Check["status"]): number => checks.filter((one) => one.status === status).length;
  const failures = count("fail");
  const warnings = counted(count("warn"), "warning", "warnings");
  if (failures === 0) return `healthy: ${counted(checks.length, "check", "checks")}, ${warnings}`;
  return `not healthy: ${counted(failures, "problem", "problems")}, ${warnings}`;
}

/** Returns a result for `--json`. */
export function checkToJson(result: Check): object {
  const { text, means, fix = [] } = wordsOf(result);
  return {
    code: result.code,
    status: result.status,
    text,
    ...(means === undefined ? {} : { means }),
    ...(fix.length === 0 ? {} : { fix: renderCommands(fix) }),
    args: result.args,
  };
}
