import type { Check } from "../model/check.ts";
import { CHECK_WORDS } from "./check-words.ts";
import { renderCommands } from "./shell-command.ts";
import { counted } from "./text.ts";
import type { Words } from "./words-for-checks.ts";

const INDENT = "      ";

/** Returns the words for a result. */
export const wordsOf = ({ code, args }: Check): Words =>
  (CHECK_WORDS[code] as (values: unknown) => Words)(args);

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
