/**
 * A platform for yargs without files, environment or process. The build substitutes it for yargs' own platform
 * module, so that the same bundle runs in both JavaScript engines.
 */
import { cliui } from "cliui";
import Parser from "yargs-parser/browser";
import { wrapText } from "./wrap-text.ts";

/** The entries of yargs' English table that differ from their keys, and what `.updateStrings()` adds. */
const ENGLISH: Record<string, string> = { "Implications failed:": "Missing dependent arguments:" };

/** Replaces each `%s` by the next argument. */
const format = (text: string, args: readonly unknown[]): string => {
  let next = 0;
  return (ENGLISH[text] ?? text).replace(/%s/g, () => String(args[next++] ?? ""));
};

const refuse = (what: string) => (): never => {
  throw new Error(`Cannot use yargs to ${what}: the platform does not support it`);
};

/** Returns the width of a text in a terminal: one column per character, which is right for what nvoci prints. */
const stringWidth = (text: string): number => [...text].length;

const basename = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const dirname = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

export default {
  assert: {
    strictEqual: (left: unknown, right: unknown): void => {
      if (left !== right) throw new Error(`yargs: ${String(left)} is not ${String(right)}`);
    },
    notStrictEqual: (left: unknown, right: unknown): void => {
      if (left === right) throw new Error(`yargs: ${String(left)} is not expected`);
    },
  },
  cliui: (options: object) =>
    cliui(options, { stringWidth, stripAnsi: (text: string): string => text, wrap: wrapText }),
  findUp: (): undefined => undefined,
  getCallerFile: refuse("load a directory of commands"),
  getEnv: (): undefined => undefined,
  getProcessArgvBin: (): string => "nvoci",
  inspect: (value: unknown): string => String(value),
  mainFilename: "",
  Parser,
  path: {
    basename,
    dirname,
    extname: (): string => "",
    join: (...parts: readonly string[]): string => parts.join("/"),
    relative: (_from: string, to: string): string => to,
    resolve: (...parts: readonly string[]): string => parts.join("/"),
  },
  process: {
    argv: (): readonly string[] => ["nvoci"],
    cwd: (): string => "",
    emitWarning: (): void => {},
    execPath: (): string => "",
    exit: refuse("end the process"),
    nextTick: refuse("wait"),
    stdColumns: null,
  },
  readFileSync: refuse("read a file"),
  readdirSync: refuse("read a directory"),
  require: refuse("load a module"),
  stringWidth,
  y18n: {
    __: (text: string, ...args: readonly unknown[]): string => format(text, args),
    __n: (one: string, other: string, count: number, ...args: readonly unknown[]): string =>
      format(count === 1 ? one : other, args.length ? args : [count]),
    getLocale: (): string => "en",
    setLocale: (): void => {},
    updateLocale: (table: Readonly<Record<string, string>>): void => {
      Object.assign(ENGLISH, table);
    },
  },
};
