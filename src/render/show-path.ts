import { hasControlCharacter } from "../model/control-character.ts";
import { quote } from "../model/quote.ts";

/** A path as a person reads it: quoted only where it could steer a terminal or end the line. */
export const showPath = (path: string): string => (hasControlCharacter(path) ? quote(path, 4096) : path);
