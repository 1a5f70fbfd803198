import { defineConfig } from "vitest/config";

const common = { environment: "node" as const, restoreMocks: true };

/** The layers that compute and ask nobody: what is in them has tests, or is not needed. */
const PURE = [
  "binary",
  "config",
  "elf",
  "json",
  "ldcache",
  "manifest",
  "model",
  "oci",
  "plan",
  "request",
  "text",
];

export default defineConfig({
  test: {
    coverage: {
      provider: "v8",
      include: PURE.map((folder) => `src/${folder}/**`),
      reporter: ["text"],
      thresholds: { lines: 98, branches: 96 },
    },
    projects: [
      {
        test: {
          ...common,
          name: "unit",
          // Tests share modules and change none: a third of the time that fresh ones take.
          isolate: false,
          include: ["test/{unit,property,golden}/**/*.test.ts"],
          setupFiles: ["test/support/build/bundles-in-tests.ts"],
        },
      },
      {
        test: {
          ...common,
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...common,
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
