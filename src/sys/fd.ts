import { quote } from "../model/quote.ts";

/**
 * An open file descriptor together with the path that it was opened by. The path is for the reader of an error
 * message; nothing is ever opened by it again.
 */
export class Fd {
  /** The descriptor's number. */
  readonly number: number;
  /** What it was opened by. For messages only. */
  readonly origin: string;

  constructor(number: number, origin: string) {
    this.number = number;
    this.origin = origin;
  }

  /** `8 ("/usr/lib")`, or AT_FDCWD. */
  toString(): string {
    return this.number === CWD_NUMBER ? "AT_FDCWD" : `${this.number} (${quote(this.origin, 4096)})`;
  }
}

const CWD_NUMBER = -100;

/** The current directory, where a call takes a directory descriptor. */
export const CWD = new Fd(CWD_NUMBER, ".");
