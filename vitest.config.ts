import { defineConfig } from "vitest/config";

/** Two projects: `unit` needs nothing but Node, `host` makes network namespaces and runs one file at a time. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["src/**/*.test.ts", "test/house/**/*.test.ts"], testTimeout: 20_000 } },
      {
        test: {
          name: "host",
          include: ["src/**/*.host.ts", "test/host/**/*.host.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
