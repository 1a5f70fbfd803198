// `npm test`: builds, then runs everything that this machine can run, and says in a line each what it cannot.
// In CI a skipped test is a failure, unless it needs what no package brings.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CHECKS = [
  ["build", ["node", "build/build.mjs"]],
  ["types", ["npm", "run", "-s", "types"]],
  ["lint", ["npm", "run", "-s", "lint"]],
  ["dead code", ["npx", "knip"]],
  ["smoke", ["node", "build/smoke.mjs"]],
];
const PROJECTS = ["unit", "integration", "e2e"];
const inCi = process.env.CI === "true";

/** Runs a command with our terminal; tells whether its status was 0. */
const run = ([file, ...args]) => spawnSync(file, args, { stdio: "inherit" }).status === 0;

/** Runs one vitest project and reads its tests: `{ status, title }`, the title with those of its groups. */
function runProject(project, directory) {
  const report = join(directory, `${project}.json`);
  const options = [
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    "--passWithNoTests",
  ];
  const passed = run(["npx", "vitest", "run", "--project", project, ...options]);
  try {
    const files = JSON.parse(readFileSync(report, "utf8")).testResults;
    const tests = files.flatMap((file) => file.assertionResults);
    // A file that cannot even be loaded has no test of its own to count.
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

/** What skipped tests need, with their number: a title ends its reason as `(needs X: remedy)`. */
function skipReasons(skipped) {
  const reasons = new Map();
  for (const { title } of skipped) {
    const reason = /\((needs [^()]*)\)/.exec(title)?.[1] ?? `no reason given: ${title}`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return reasons;
}

const directory = mkdtempSync(join(tmpdir(), "nvoci-report-"));
const failedChecks = CHECKS.filter(([name, command]) => {
  console.log(`\n== ${name}`);
  return !run(command);
}).map(([name]) => name);
const tests = PROJECTS.flatMap((project) => {
  console.log(`\n== ${project} tests`);
  return runProject(project, directory);
});
rmSync(directory, { recursive: true });

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
