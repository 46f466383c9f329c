import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "#life";
import type { Outcome } from "../test/standards/row-count.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly Outcome[];
  }[];
}

/** Part is one run of some tests. */
export interface Part {
  readonly name: string;
  readonly passed: number;
  readonly failed: readonly string[];
  readonly outcomes: readonly Outcome[];
}

/** runTests runs some files of a project. vitest ends with 1 where a test failed; the report says which. A run without
 *  any test shows nothing. */
export async function runTests(
  project: string,
  tests: readonly string[],
  file: string,
  signal: AbortSignal,
): Promise<Part> {
  const vitest = [process.execPath, join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--root", ROOT];
  await runCommand([...vitest, "--project", project, "--reporter=json", `--outputFile=${file}`, ...tests], { signal });
  const { testResults } = JSON.parse(await readFile(file, "utf8")) as Report;
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  return {
    name: `${tests[0]}${tests.length > 1 ? " and more" : ""} (${project})`,
    passed: all.filter(({ status }) => status === "passed").length,
    failed: all.filter(({ status }) => status !== "passed").map(({ fullName }) => fullName),
    outcomes: all,
  };
}
