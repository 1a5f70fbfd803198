import { NvociError } from "../model/errors.ts";

/** A ld.so.cache that breaks its own format. Names the field and the byte where it stands. */
export class LdCacheError extends NvociError {
  /** The field in glibc's words: `nlibs`, `libs[3].key`, `extension_offset`. */
  readonly field: string;
  /** Bytes from the start of the file. */
  readonly offset: number;

  constructor(file: string, field: string, offset: number, reason: string) {
    super("file-invalid", `Cannot read "${file}": ${field} at byte ${offset}: ${reason}`, [
      "ldconfig writes the file anew",
    ]);
    this.name = "LdCacheError";
    this.field = field;
    this.offset = offset;
  }
}
