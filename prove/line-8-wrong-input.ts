import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "#life";
import type { Line, Proof } from "./line.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Where the tables of wrong input stand: flags, keys and fields, and the operations of the admin API. */
const FOLDERS = ["test/cli", "src/admin"];

/** What vitest's JSON reporter writes, as far as it is looked at. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** line8: the table tests, counted. */
export const line8: Line = {
  title: "wrong input: every flag, key, field and operation",
  required: "exit 2 or a trouble with place and remedy for each, nothing half-applied; 0 failed",
  async run(say, signal) {
    const folder = await mkdtemp(join(tmpdir(), "meridian-wrong-input-"));
    try {
      const folders = FOLDERS.filter((name) => existsSync(join(ROOT, name)));
      say(`running the tests of ${folders.join(" and ")}`);
      return judge(await runTests(folders, join(folder, "report.json"), signal));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** The tests call the program itself; a test that fails ends vitest with 1, and the report says which. */
async function runTests(folders: readonly string[], file: string, signal: AbortSignal): Promise<Report> {
  const vitest = [process.execPath, join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--root", ROOT];
  const reporter = ["--reporter=json", `--outputFile=${file}`];
  const ran = await runCommand([...vitest, "--project", "unit", ...reporter, ...folders], { signal });
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) throw new Error(`the tests did not run: ${ran.ok ? ran.value : ran.error.stderr}`);
  return JSON.parse(text) as Report;
}

/** judge counts by folder; one without any test shows nothing, and so fails. */
export function judge({ testResults }: Report): Proof {
  const files = testResults.map(({ name, message, assertionResults }) => ({
    name: relative(ROOT, name),
    passed: assertionResults.filter(({ status }) => status === "passed").length,
    failed: assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName),
    broken: assertionResults.length === 0 ? message : "",
  }));
  const parts = FOLDERS.map((folder) => {
    const own = files.filter(({ name }) => name.startsWith(folder));
    const failed = own.reduce((sum, file) => sum + file.failed.length + (file.broken === "" ? 0 : 1), 0);
    return { folder, failed, passed: own.reduce((sum, file) => sum + file.passed, 0) };
  });
  return {
    measured: parts.map(({ folder, passed, failed }) => `${folder}: ${passed} passed, ${failed} failed`).join("; "),
    holds: parts.every(({ passed, failed }) => passed > 0 && failed === 0),
    details: files.flatMap(({ name, passed, failed, broken }) => [
      `${name}: ${passed} passed${failed.length === 0 ? "" : `, ${failed.length} failed`}`,
      ...failed.map((test) => `  FAILED ${test}`),
      ...(broken === "" ? [] : [`  BROKEN ${broken.split("\n")[0]}`]),
    ]),
  };
}
