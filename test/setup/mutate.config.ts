import { defineConfig } from "vitest/config";

/** The tests that concern what is mutated, and need neither the table nor a process of their own. */
export default defineConfig({
  test: {
    include: ["test/unit/*.test.ts", "test/prove/light.test.ts"],
    exclude: ["simulate", "validate-policies", "account-findings", "ssh-public-key"].map(
      (name) => `test/unit/${name}.test.ts`,
    ),
    env: { LOG_LEVEL: "silent" },
    testTimeout: 20_000,
  },
});
