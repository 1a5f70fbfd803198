import { DEFAULT_CONFIG } from "../../config/config.ts";
import { type Check, check } from "../../model/check.ts";
import type { Finding } from "../../model/finding.ts";
import type { HostReport } from "../read-host.ts";
import { nearest } from "./nearest.ts";

/** Reports the configuration file and what in it has no effect. */
export function checkConfig({ loaded, configFindings }: HostReport): readonly Check[] {
  const { file } = loaded;
  return [
    file === undefined ? check("ok", "config-default", {}) : check("ok", "config-file", { file }),
    ...configFindings.map(ofFinding),
  ];
}

function ofFinding(finding: Finding): Check {
  if (finding.code !== "config-key-unknown") return check("warn", "finding", { finding });
  const { file, key } = finding.args;
  return check("warn", "config-key-unknown", { file, key, nearest: nearest(key, KEYS) });
}

/** Returns a key as config.toml has it. */
const inToml = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The keys of a table and of the tables in it, with their tables: `nvoci.ldconfig`. */
function keysOf(table: object, place = ""): readonly string[] {
  return Object.entries(table).flatMap(([name, value]) => {
    const key = `${place}${inToml(name)}`;
    const isTable = typeof value === "object" && value !== null && !Array.isArray(value);
    return isTable ? keysOf(value, `${key}.`) : [key];
  });
}

const KEYS = keysOf(DEFAULT_CONFIG);
