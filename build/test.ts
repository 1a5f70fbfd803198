/**
 * `npm test`: builds, runs every test that this machine can run, and prints one line for each reason to skip. In
 * CI a test that is skipped without a reason is a failure.
 *
 * `npm run check` runs only the project that needs no privileges: `test.ts unit`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Commands before the tests. */
const CHECKS = [
  ["build", "npm run -s build"],
  ["types", "npm run -s types"],
  ["lint", "npm run -s lint"],
  ["dead code", "npx knip"],
  ["smoke", "node build/run-typescript.mjs build/smoke.ts"],
] as const;

/** The vitest projects and their extra options. */
const PROJECTS: Readonly<Record<string, readonly string[]>> = {
  unit: ["--coverage"],
  integration: [],
  e2e: [],
};

const reports = mkdtempSync(join(tmpdir(), "nvoci-report-"));
const inCi = process.env.CI === "true";

/** A test with its full title, or a failure outside a test. */
interface Outcome {
  readonly status: string;
  readonly title: string;
}

/** The output of vitest's JSON reporter. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Runs a command on this terminal and reports whether its status is 0. */
const succeeds = (command: string): boolean => {
  const [file = "", ...args] = command.split(" ");
  return spawnSync(file, args, { stdio: "inherit" }).status === 0;
};

/** Runs one vitest project and returns its tests. */
function runProject(project: string): Outcome[] {
  const report = join(reports, `${project}.json`);
  const options = [
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    "--passWithNoTests",
    ...(PROJECTS[project] ?? []),
  ];
  const passed = succeeds(`npx vitest run --project ${project} ${options.join(" ")}`);
  try {
    const { testResults: files }: Report = JSON.parse(readFileSync(report, "utf8"));
    const tests = files.flatMap((file) => file.assertionResults);
    // A file that cannot be loaded has no tests.
    const unloadable = files.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
    return [
      ...tests.map(({ status, fullName }) => ({ status, title: fullName.trim() })),
      ...unloadable.map(({ name }) => ({ status: "failed", title: name })),
      ...(passed || tests.some(({ status }) => status === "failed") || unloadable.length > 0
        ? []
        : [{ status: "failed", title: `${project}: vitest failed outside a test` }]),
    ];
  } catch {
    return [{ status: "failed", title: `${project}: vitest left no report` }];
  }
}

/** Counts skipped tests by reason. A title has its reason as `(needs X: remedy)`. */
function skipReasons(outcomes: readonly Outcome[]): Map<string, number> {
  const counted = new Map<string, number>();
  for (const { title } of outcomes) {
    const reason = /\((needs [^()]*)\)/.exec(title)?.[1] ?? `no reason given: ${title}`;
    counted.set(reason, (counted.get(reason) ?? 0) + 1);
  }
  return counted;
}

const named = process.argv.slice(2);
const failedChecks = CHECKS.filter(([name, command]) => {
  console.log(`\n== ${name}`);
  return !succeeds(command);
}).map(([name]) => name);
const tests = (named.length > 0 ? named : Object.keys(PROJECTS)).flatMap((project) => {
  console.log(`\n== ${project} tests`);
  return runProject(project);
});
rmSync(reports, { recursive: true });

const failed = tests.filter(({ status }) => status === "failed");
const passed = tests.filter(({ status }) => status === "passed");
const skipped = tests.filter(({ status }) => status !== "failed" && status !== "passed");
const reasons = skipReasons(skipped);
const unexplained = [...reasons.keys()].filter((reason) => reason.startsWith("no reason given"));

console.log("");
for (const [reason, count] of reasons) console.log(`skipped: ${count} tests: ${reason}`);
for (const { title } of failed) console.log(`failed: ${title}`);
for (const name of failedChecks) console.log(`failed: ${name}`);
if (inCi) for (const reason of unexplained) console.log(`failed: a skip in CI with ${reason}`);
const counts = [`${passed.length} passed`, `${failed.length} failed`];
if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
console.log(counts.join(", "));
process.exitCode = failed.length + failedChecks.length + (inCi ? unexplained.length : 0) > 0 ? 1 : 0;
