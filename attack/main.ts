/**
 * Attacks the built program for a given time: `npm run attack -- [--minutes N] [--seed S] [--only NAME] [--build
 * native|node]`. Prints one line per attack. Ends with 1 when one succeeds, and prints the command that repeats
 * it.
 */
import { parseArgs } from "node:util";
import { builds } from "../test/support/build/builds.ts";
import { repeating, runAttack } from "./attack.ts";
import { ATTACKS } from "./attacks.ts";

/** Default number of minutes for all attacks together. */
const MINUTES = "1";

function stop(reason: string): never {
  console.error(reason);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: MINUTES },
    seed: { type: "string", default: `${Math.floor(Math.random() * 2 ** 31)}` },
    only: { type: "string" },
    build: { type: "string", default: "native" },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes >= 0) || !Number.isSafeInteger(seed)) stop("Cannot attack: --minutes and --seed take numbers");
const chosen = ATTACKS.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0) {
  stop(`Cannot attack "${values.only}": use one of ${ATTACKS.map(({ name }) => name).join(", ")}`);
}
process.env.NVOCI_BUILDS = values.build;
const [build] = builds();
if (build === undefined)
  stop(`Cannot attack the ${values.build} build: it does not exist; run "npm run build"`);
if (process.getuid?.() !== 0) stop("Cannot attack: this needs root");

let failed = false;
for (const attack of chosen) {
  const outcome = await runAttack(attack, build, seed, (minutes * 60_000) / chosen.length);
  const result = outcome.faults.length === 0 ? "held" : "FAILED";
  console.log(
    `${attack.name.padEnd(12)} ${`${outcome.trials}`.padStart(6)} trials  seed ${outcome.seed}  ${result}`,
  );
  if (outcome.faults.length === 0) continue;
  failed = true;
  for (const fault of outcome.faults.slice(0, 20))
    console.log(`  ${fault.trimEnd().replaceAll("\n", "\n    ")}`);
  console.log(`  repeat with: ${repeating(build, outcome)}`);
}
// Not `exit`, because standard output must be flushed.
process.exitCode = failed ? 1 : 0;
