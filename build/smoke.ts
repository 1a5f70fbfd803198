/**
 * Asks both built programs the same things: seconds, and no privileges. It is to find a bundle that one engine cannot
 * read; what the answers say is for the tests.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { hostArch } from "./compiler.ts";
import { projectVersion, root } from "./root.ts";

/** Arguments, and what the answer must be. */
interface Question {
  readonly args: readonly string[];
  readonly status: number;
  readonly says: string;
}

const native = join(root, `dist/native/nvoci-linux-${hostArch}`);
const node = join(root, "dist/node/nvoci");
const programs = [native, node].filter((program) => existsSync(program));
const version = projectVersion();

/** Each kind of bundle is read by at least one. */
const QUESTIONS: readonly Question[] = [
  { args: ["--version"], status: 0, says: version },
  { args: ["--help"], status: 0, says: "hook" },
  { args: ["hook", "--version"], status: 0, says: version },
  { args: ["hook", "no-stage"], status: 2, says: "no-stage" },
  { args: ["no-command"], status: 2, says: "no-command" },
];

function ask(program: string, args: readonly string[]) {
  // Without an environment, as a hook may be started.
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env: {}, input: "" });
  return { status, stdout, stderr };
}

/** What is wrong with the answers to a question. */
function fault({ args, status, says }: Question): string | undefined {
  const answers = programs.map((program) => ask(program, args));
  for (const answer of answers) {
    const shown = JSON.stringify(answer);
    if (answer.status !== status) return `status is not ${status}: ${shown}`;
    if (!`${answer.stdout}${answer.stderr}`.includes(says)) return shown;
    if (shown !== JSON.stringify(answers[0])) return `the programs differ: ${JSON.stringify(answers)}`;
  }
  return undefined;
}

if (programs.length === 0) {
  console.error('Cannot smoke-test "dist/": there is no build in it; npm run build');
  process.exitCode = 1;
}
for (const question of QUESTIONS) {
  const reason = fault(question);
  if (reason === undefined) continue;
  console.error(`Cannot accept "nvoci ${question.args.join(" ")}": ${reason}`);
  process.exitCode = 1;
}
if (process.exitCode !== 1)
  console.log(
    `smoke: ${QUESTIONS.length} questions, ${programs.length === 2 ? "both programs agree" : "one program"}`,
  );
