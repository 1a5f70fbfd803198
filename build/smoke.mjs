/**
 * Builds, then asks both programs the same things: seconds, and no privileges. It is to find a bundle that one engine
 * cannot read; what the answers say is for the tests.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { hostArch } from "./compiler.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const native = join(root, `dist/native/nvoci-linux-${hostArch}`);
const node = join(root, "dist/node/nvoci");

/** Words, and what the answer must be. Each of the three bundles is read by at least one. */
const QUESTIONS = [
  { words: ["--version"], status: 0, says: version },
  { words: ["--help"], status: 0, says: "hook" },
  { words: ["hook", "--version"], status: 0, says: version },
  { words: ["hook", "no-stage"], status: 2, says: "no-stage" },
  { words: ["no-command"], status: 2, says: "no-command" },
];

function ask(program, words) {
  // Without an environment, as a hook may be started.
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: "utf8", env: {}, input: "" });
  return { status, stdout, stderr };
}

function fail(reason) {
  console.error(reason);
  process.exit(1);
}

const built = spawnSync(process.execPath, [join(root, "build/build.mjs")], { encoding: "utf8" });
process.stderr.write(built.stderr);
if (built.status !== 0) fail("Cannot smoke-test: the build failed");

for (const { words, status, says } of QUESTIONS) {
  const answers = [native, node].filter(existsSync).map((program) => ask(program, words));
  for (const answer of answers) {
    const shown = JSON.stringify(answer);
    if (answer.status !== status)
      fail(`Cannot accept "nvoci ${words.join(" ")}": status is not ${status}: ${shown}`);
    if (!`${answer.stdout}${answer.stderr}`.includes(says))
      fail(`Cannot accept "nvoci ${words.join(" ")}": ${shown}`);
    if (shown !== JSON.stringify(answers[0]))
      fail(`Cannot accept "nvoci ${words.join(" ")}": the programs differ: ${JSON.stringify(answers)}`);
  }
}
console.log(
  `smoke: ${QUESTIONS.length} questions, ${existsSync(native) ? "both programs agree" : "Node.js build only"}`,
);
