/**
 * Runs both built programs with the same arguments, in seconds and without privileges. It finds a bundle that one
 * JavaScript engine cannot read; the tests check the answers.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { hostArch } from "./compiler.ts";
import { projectVersion, root } from "./root.ts";

/** Arguments and the expected answer. */
interface Question {
  readonly args: readonly string[];
  readonly status: number;
  readonly says: string;
}

const native = join(root, `dist/native/nvoci-linux-${hostArch}`);
const node = join(root, "dist/node/nvoci");
const programs = [native, node].filter((program) => existsSync(program));
const version = projectVersion();

/** These load `main` and `cli`; the other bundles need a container or a configuration. */
const QUESTIONS: readonly Question[] = [
  { args: ["--version"], status: 0, says: version },
  { args: ["--help"], status: 0, says: "hook" },
  { args: ["hook", "--version"], status: 0, says: version },
  { args: ["hook", "no-stage"], status: 2, says: "no-stage" },
  { args: ["no-command"], status: 2, says: "no-command" },
];

function ask(program: string, args: readonly string[]) {
  // A hook may start without an environment.
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env: {}, input: "" });
  return { status, stdout, stderr };
}

/** Returns what is wrong with the answers to a question. */
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
  console.error('Cannot test "dist/": it has no build; run "npm run build"');
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
