import { spawn } from "node:child_process";
import { once } from "node:events";
import { syscallNumbers } from "../../../src/sys/syscall-numbers.ts";
import { ADDON } from "./node-engine.ts";

/** Another process that exchanges two names as fast as possible. */
interface Swapper {
  /** Reports whether its time is over. */
  isOver(): boolean;
  /** Waits for its end and returns the number of exchanges. */
  exchanges(): Promise<number>;
}

/** Runs in a separate Node.js: renameat2(2) with RENAME_EXCHANGE, so that both names always exist. */
const PROGRAM = `
const [addon, number, one, other, time] = process.argv.slice(1);
const engine = { exports: {} };
process.dlopen(engine, addon);
process.stdout.write("ready\\n", () => {
  const end = Date.now() + Number(time);
  let count = 0;
  while (Date.now() < end) if (engine.exports.syscall(Number(number), -100, one, -100, other, 2) === 0) count++;
  process.stdout.write(count + "\\n");
});
`;

/**
 * Starts to exchange two names, and returns once the first exchange is possible.
 *
 * @param time milliseconds until it stops.
 */
export async function startSwapping(one: string, other: string, time: number): Promise<Swapper> {
  const { renameat2 } = syscallNumbers(process.arch === "arm64" ? "arm64" : "x64");
  const args = ["-e", PROGRAM, "--", ADDON, `${renameat2}`, one, other, `${time}`];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (chunk) => {
    said += chunk;
  });
  const closed = once(child, "close");
  await once(child.stdout, "data");
  const end = Date.now() + time;
  return {
    isOver: () => Date.now() >= end,
    async exchanges() {
      await closed;
      return Number(said.split("\n")[1]);
    },
  };
}
