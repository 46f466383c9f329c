import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "#life";
import type { Line, Proof } from "./line.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const RUNS = [
  ["unit", "test/faults"],
  ["unit", "test/hostile"],
  ["host", "test/hostile"],
  ["long", "test/faults"],
] as const;

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** keepsFaults: every fault of the harness, short and long, and everything that hostile parts do. */
export const keepsFaults: Line = {
  title: "faults and hostile parts, every row",
  required: "each row with all invariants behind it; 0 failed",
  async run(say, signal) {
    const folder = await mkdtemp(join(tmpdir(), "meridian-faults-"));
    try {
      const parts: Part[] = [];
      for (const [project, tests] of RUNS) {
        say(`running ${tests} (${project})`);
        parts.push(await runTests(project, tests, join(folder, `${project}.json`), signal));
      }
      return judge(parts);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Part {
  readonly name: string;
  readonly passed: number;
  readonly failed: readonly string[];
}

/** vitest ends with 1 where a test failed; the report says which. A run without any test shows nothing. */
async function runTests(project: string, tests: string, file: string, signal: AbortSignal): Promise<Part> {
  const vitest = [process.execPath, join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--root", ROOT];
  await runCommand([...vitest, "--project", project, "--reporter=json", `--outputFile=${file}`, tests], { signal });
  const { testResults } = JSON.parse(await readFile(file, "utf8")) as Report;
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  return {
    name: `${tests} (${project})`,
    passed: all.filter(({ status }) => status === "passed").length,
    failed: all.filter(({ status }) => status !== "passed").map(({ fullName }) => fullName),
  };
}

function judge(parts: readonly Part[]): Proof {
  return {
    measured: parts.map(({ name, passed, failed }) => `${name}: ${passed} passed, ${failed.length} failed`).join("; "),
    holds: parts.every(({ passed, failed }) => passed > 0 && failed.length === 0),
    details: parts.flatMap(({ failed }) => failed.map((name) => `FAILED ${name}`)),
  };
}
