import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { findRights, requirePrograms, sweep } from "#lab";

/** What `make test` runs: types and lint, then every test, and a closing line that counts them. */

const NODE = process.execPath;
const PROGRAMS_OF_TESTS = ["curl", "dig", "strace", "tcpdump"] as const;

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
}

async function run(argv: readonly string[]): Promise<number> {
  const child = spawn(argv[0] ?? "", argv.slice(1), { stdio: ["ignore", "inherit", "inherit"] });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

/** vitest runs one project and gives its counts; a run that ends without a report counts as one failure. */
async function vitest(
  project: string,
  folder: string,
): Promise<readonly [passed: number, failed: number, skipped: number]> {
  const report = join(folder, `${project}.json`);
  const reporters = ["--reporter=dot", "--reporter=json", `--outputFile.json=${report}`];
  const code = await run([NODE, "node_modules/vitest/vitest.mjs", "run", "--project", project, ...reporters]);
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
      readFileSync(report, "utf8"),
    ) as VitestReport;
    const hidden = code !== 0 && numFailedTests === 0 ? 1 : 0;
    return [numPassedTests, numFailedTests + hidden, numPendingTests];
  } catch {
    return [0, 1, 0];
  }
}

async function main(): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const programs = await requirePrograms(say, PROGRAMS_OF_TESTS);
  if (!programs.ok) {
    say(`make test: ${programs.error}`);
    return 1;
  }
  await sweep();
  const rights = await findRights();
  const folder = mkdtempSync(join(tmpdir(), "meridian-test-"));
  const counts = [await vitest("unit", folder)];
  if (rights.ok && rights.value === "root") counts.push(await vitest("host", folder));
  else say(`make test: the tests on real packets were left out: ${rights.ok ? "they need root" : rights.error}`);
  rmSync(folder, { recursive: true });
  const [passed, failed, skipped] = [0, 1, 2].map((at) => counts.reduce((sum, count) => sum + (count[at] ?? 0), 0));
  process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}\n`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
