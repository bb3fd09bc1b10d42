/** Options of Stryker: what is mutated, with which tests, and how many mutants may survive. */
export default {
  mutate: ["shared/iam/**/*.ts", "shared/decision/**/*.ts"],
  testRunner: "vitest",
  vitest: { configFile: "test/setup/mutate.config.ts" },
  coverageAnalysis: "perTest",
  concurrency: 2,
  timeoutMS: 10_000,
  thresholds: { high: 100, low: 99, break: 98 },
  reporters: ["clear-text", "progress-append-only", "json", "html"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  htmlReporter: { fileName: "reports/mutation.html" },
  jsonReporter: { fileName: "reports/mutation.json" },
  tempDirName: ".stryker-tmp",
  // Stryker would rewrite tsconfig.json with an API that TypeScript 7 no longer has; nothing is compiled here.
  tsconfigFile: "none",
  ignorePatterns: [
    "dist",
    "reports",
    "test/bench",
    "test/api",
    "test/infra",
    "test/opsworks-sdk",
    "test/table",
  ],
};
