import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { constants, setPriority, tmpdir } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import { findKubeTools, findNodeTools, findRights, requirePrograms, sweep } from "#lab";
import { countFaults } from "./faults/row-count.ts";
import { ADVISORIES, FAULTS } from "./faults/rows.ts";
import { countRows, type Outcome } from "./standards/row-count.ts";
import { TABLES } from "./standards/tables.ts";

/** What `make test` runs: every test, and closing lines that count the tests and the rows of the
 *  standards that have one. */

const NODE = process.execPath;
const PROGRAMS_OF_TESTS = ["curl", "dig", "strace", "tcpdump"] as const;

/** Project is one of vitest.config.ts. */
type Project = "unit" | "host" | "kube" | "nodes";

/** Batch is what one run of vitest has: a project, or some files of it. */
interface Batch {
  readonly name: string;
  readonly project: Project;
  readonly args: readonly string[];
}

/** Files of `host` that measure how long something lasts: nothing runs beside them. */
const TIMED = [
  "bench/smoke.host.ts",
  "src/probe/prober.host.ts",
  "src/tunnel/tunnels.host.ts",
  "test/host/member-verdict.host.ts",
];

// Many tests of `unit` wait for sockets and timers: two at a time, also where vitest would leave one of two cores to others.
const UNIT: Batch = { name: "unit", project: "unit", args: ["--maxWorkers=2"] };
const HOST: Batch = { name: "host", project: "host", args: TIMED.map((file) => `--exclude=${file}`) };
const HOST_TIMED: Batch = { name: "host, timed", project: "host", args: TIMED };
const KUBE: Batch = { name: "kube", project: "kube", args: [] };
const NODES: Batch = { name: "nodes", project: "nodes", args: [] };

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly FileReport[];
}

/** FileReport is one file of tests; its own message says why it did not load. */
interface FileReport {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly (Outcome & { readonly failureMessages?: readonly string[] })[];
}

/** Run is what became of one batch. */
interface Run {
  readonly name: string;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly outcomes: readonly Outcome[];
  /** For each failed test where it stands, its name, and how the failure begins. */
  readonly failures: readonly string[];
}

/** How much of a failure is said again at the end: its whole text stands where it happened. */
const MOST_FAILURE_LINES = 12;

/** failuresOf says again at the end what failed: between it and the failure there may be minutes of other output. */
function failuresOf({ name, status, message, assertionResults }: FileReport): readonly string[] {
  const file = relative(process.cwd(), name);
  const failed = assertionResults.filter((test) => test.status === "failed");
  if (status === "failed" && failed.length === 0) return [`FAILED ${file}: ${message}`];
  return failed.map(({ fullName, failureMessages = [] }) => {
    const text = failureMessages.join("\n").split("\n").slice(0, MOST_FAILURE_LINES);
    return [`FAILED ${file}: ${fullName}`, ...text.map((line) => `  ${line}`)].join("\n");
  });
}

/** vitest runs one batch and gives its counts; a run that ends without a report counts as one failure. What it says is
 *  passed on as it comes, or kept until it ends where another one is speaking. */
async function vitest({ name, project, args }: Batch, folder: string, aloud: boolean): Promise<Run> {
  const report = join(folder, `${name}.json`);
  const reporters = ["--reporter=dot", "--reporter=json", `--outputFile.json=${report}`];
  const argv = ["node_modules/vitest/vitest.mjs", "run", "--project", project, ...reporters, ...args];
  const before = performance.now();
  const code = await (aloud ? start(argv, "inherit", 0) : startBeside(argv, join(folder, `${name}.log`)));
  const run = { name, seconds: (performance.now() - before) / 1000 };
  try {
    const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(
      readFileSync(report, "utf8"),
    ) as VitestReport;
    const hidden = code !== 0 && numFailedTests === 0 ? 1 : 0;
    return {
      ...run,
      passed: numPassedTests,
      failed: numFailedTests + hidden,
      skipped: numPendingTests,
      outcomes: testResults.flatMap(({ assertionResults }) => assertionResults),
      failures: testResults.flatMap(failuresOf),
    };
  } catch {
    const failures = [`FAILED ${name}: there is no report`];
    return { ...run, passed: 0, failed: 1, skipped: 0, outcomes: [], failures };
  }
}

/** start runs vitest and gives its exit code. What it says goes to the terminal, or to a file. */
async function start(argv: readonly string[], output: "inherit" | number, priority: number): Promise<number> {
  const child = spawn(NODE, argv, { stdio: ["ignore", output, output] });
  if (child.pid !== undefined && priority > 0) setPriority(child.pid, priority);
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

/** startBeside runs vitest beside another run, to which it gives way. */
async function startBeside(argv: readonly string[], log: string): Promise<number> {
  const file = openSync(log, "w");
  const code = await start(argv, file, constants.priority.PRIORITY_BELOW_NORMAL);
  closeSync(file);
  process.stdout.write(readFileSync(log));
  return code;
}

/** runAll has `unit` alone, since it fills two cores; then real packets beside real API servers: both mostly wait, and neither
 *  sees anything of the other; and at last, alone again, what looks at the whole machine, and what measures time. */
async function runAll(found: ReadonlySet<Project>, folder: string): Promise<readonly Run[]> {
  const inTurn = async (batches: readonly Batch[], aloud: boolean): Promise<readonly Run[]> => {
    const runs: Run[] = [];
    for (const batch of batches) if (found.has(batch.project)) runs.push(await vitest(batch, folder, aloud));
    return runs;
  };
  const first = await inTurn([UNIT], true);
  const beside = await Promise.all([inTurn([HOST], true), inTurn([KUBE], !found.has("host"))]);
  return [...first, ...beside.flat(), ...(await inTurn([NODES, HOST_TIMED], true))];
}

/** findProjects finds what can be run here, and says what is left out and why. */
async function findProjects(say: (line: string) => void): Promise<ReadonlySet<Project>> {
  const found = new Set<Project>(["unit"]);
  const rights = await findRights();
  if (rights.ok && rights.value === "root") found.add("host");
  else say(`make test: the tests on real packets were left out: ${rights.ok ? "they need root" : rights.error}`);
  const kube = await findKubeTools();
  if (kube.ok) found.add("kube");
  else say(`make test: the tests on real API servers were left out: ${kube.error}`);
  const nodes = await findNodeTools();
  if (nodes.ok) found.add("nodes");
  else say(`make test: the tests on whole clusters were left out: ${nodes.error}`);
  return found;
}

/** faultRows prints how many faults and advisories have a test, and gives how many have none. */
function faultRows(runs: readonly Run[], complete: boolean): number {
  const outcomes = runs.flatMap((run) => run.outcomes);
  const { line, missing } = countFaults(FAULTS, ADVISORIES, outcomes);
  process.stdout.write(`${line}\n`);
  if (missing.length > 0) process.stdout.write(`faults without a test: ${missing.join(", ")}\n`);
  return complete ? missing.length : 0;
}

/** rowFaults prints how many rows of the standards have a test, and gives how many faults that shows. Where tests on real
 *  packets were left out, rows that only they show are named and are no fault. */
function rowFaults(runs: readonly Run[], complete: boolean): number {
  const { lines, missing, unknown } = countRows(
    TABLES,
    runs.flatMap(({ outcomes }) => outcomes),
  );
  process.stdout.write(`${lines.join("\n")}\n`);
  if (missing.length > 0) process.stdout.write(`rows without a test: ${missing.join(" ")}\n`);
  if (unknown.length > 0) process.stdout.write(`tests name rows that are in no table: ${unknown.join(" ")}\n`);
  return (complete ? missing.length : 0) + unknown.length;
}

async function main(): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const programs = await requirePrograms(say, PROGRAMS_OF_TESTS);
  if (!programs.ok) {
    say(`make test: ${programs.error}`);
    return 1;
  }
  await sweep();
  const found = await findProjects(say);
  const folder = mkdtempSync(join(tmpdir(), "meridian-test-"));
  const runs = await runAll(found, folder);
  rmSync(folder, { recursive: true });
  const sum = (of: (run: Run) => number): number => runs.reduce((total, run) => total + of(run), 0);
  const faults = rowFaults(runs, found.has("host") && found.has("kube")) + faultRows(runs, found.has("host"));
  const skipped = sum((run) => run.skipped);
  const failed = sum((run) => run.failed);
  for (const { name, passed, seconds } of runs) {
    process.stdout.write(`${name}: ${passed} passed in ${Math.round(seconds)} s\n`);
  }
  for (const failure of runs.flatMap(({ failures }) => failures)) process.stdout.write(`${failure}\n`);
  process.stdout.write(
    `${sum((run) => run.passed)} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}\n`,
  );
  return failed + faults === 0 ? 0 : 1;
}

process.exitCode = await main();
