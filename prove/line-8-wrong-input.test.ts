import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { judge } from "./line-8-wrong-input.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

function file(name: string, statuses: readonly string[], message = "") {
  const assertionResults = statuses.map((status, i) => ({ status, fullName: `test ${i}` }));
  return { name: join(ROOT, name), message, assertionResults };
}

describe("judge()", () => {
  const cli = file("test/cli/flags.test.ts", ["passed", "passed"]);

  test("holds when both tables passed", () => {
    const proof = judge({ testResults: [cli, file("src/admin/openapi.test.ts", ["passed"])] });
    expect(proof).toMatchObject({
      holds: true,
      measured: "test/cli: 2 passed, 0 failed; src/admin: 1 passed, 0 failed",
    });
  });

  test("fails when one of them has no test at all: nothing was shown", () => {
    expect(judge({ testResults: [cli] }).holds).toBe(false);
  });

  test("fails by a test that failed, and names it", () => {
    const proof = judge({ testResults: [cli, file("src/admin/openapi.test.ts", ["passed", "failed"])] });
    expect(proof.holds).toBe(false);
    expect(proof.details).toContain("  FAILED test 1");
  });

  test("fails by a file that could not be loaded, and says why", () => {
    const proof = judge({ testResults: [cli, file("src/admin/openapi.test.ts", [], "no such export\nat line 1")] });
    expect(proof.measured).toContain("src/admin: 0 passed, 1 failed");
    expect(proof.details).toContain("  BROKEN no such export");
  });
});
