import { parseArgs } from "node:util";
import { findRights, requirePrograms } from "#lab";
import { isAbort } from "#life";
import { stopSignal, textTable } from "../bench/index.ts";
import { keeps3 } from "./keeps-3-joins.ts";
import { keeps4Away } from "./keeps-4-away.ts";
import { keeps4 } from "./keeps-4-restore.ts";
import { keepsFaults } from "./keeps-5-faults.ts";
import { keeps5 } from "./keeps-5-hostile.ts";
import { keeps7 } from "./keeps-7-fan-out.ts";
import { keeps1 } from "./keeps-going-1-restarts.ts";
import { keeps2 } from "./keeps-going-2-failover.ts";
import { keeps2Quiet } from "./keeps-going-2-quiet.ts";
import { kube1 } from "./kube-1-demo.ts";
import { kube2 } from "./kube-2-rows.ts";
import { kube3 } from "./kube-3-changes.ts";
import { kube2Demands, kube4Away, kube7 } from "./kube-tests.ts";
import type { Line, Proof } from "./line.ts";
import { line1 } from "./line-1-fresh-clone.ts";
import { line2 } from "./line-2-reach.ts";
import { line3 } from "./line-3-announce.ts";
import { line4 } from "./line-4-benchmarks.ts";
import { line5 } from "./line-5-many-exports.ts";
import { line6 } from "./line-6-one-token.ts";
import { line7 } from "./line-7-leave.ts";
import { line8 } from "./line-8-wrong-input.ts";

/** Three sets: what makes clusters reach each other, by number; what keeps them going, and what they are to Kubernetes, by
 *  name. */
const LINES: ReadonlyMap<string, Line> = new Map([
  ...[line1, line2, line3, line4, line5, line6, line7, line8].map((line, i) => [`${i + 1}`, line] as const),
  ["keeps-1", keeps1],
  ["keeps-2", keeps2],
  ["keeps-2-quiet", keeps2Quiet],
  ["keeps-3", keeps3],
  ["keeps-4", keeps4],
  ["keeps-4-away", keeps4Away],
  ["keeps-5", keeps5],
  ["keeps-faults", keepsFaults],
  ["keeps-7", keeps7],
  ["kube-1", kube1],
  ["kube-2", kube2],
  ["kube-2-demands", kube2Demands],
  ["kube-3", kube3],
  ["kube-4-away", kube4Away],
  ["kube-7", kube7],
]);

const HELP = `prove: measures every figure that is promised and prints it beside what is required.

  make prove                       all lines, in about three hours
  node prove/main.ts 3 keeps-2     only these lines
  --brief                          the table alone, without what stands under it

${[...LINES].map(([name, { title }]) => `  ${name.padEnd(14)}${title}`).join("\n")}
`;

/** Outcome is a line that was run. */
interface Outcome {
  readonly name: string;
  readonly line: Line;
  readonly proof: Proof;
}

/** main gives the exit code: 0 all that was asked for holds, 1 something does not, 2 a wrong call, 130 stopped. */
async function main(args: readonly string[]): Promise<number> {
  const ask = readAsk(args);
  if (ask === undefined || ask.help) {
    process.stderr.write(HELP);
    return ask === undefined ? 2 : 0;
  }
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const programs = await requirePrograms(say);
  const rights = await findRights();
  const fault = !programs.ok ? programs.error : !rights.ok ? rights.error : undefined;
  if (fault !== undefined) {
    say(`prove: ${fault}`);
    return 1;
  }
  const signal = stopSignal();
  const outcomes = await proveAll(ask.names, say, signal);
  if (outcomes.length > 0) process.stdout.write(report(outcomes, ask.brief));
  if (signal.aborted) return 130;
  return outcomes.every(({ proof }) => proof.holds) ? 0 : 1;
}

/** One after the other: each has the machine for itself. What was stopped is no verdict, so it is not printed. */
async function proveAll(names: readonly string[], say: (text: string) => void, signal: AbortSignal) {
  const outcomes: Outcome[] = [];
  for (const name of names) {
    const line = LINES.get(name);
    if (line === undefined || signal.aborted) continue;
    say(`line ${name}: ${line.title}`);
    const proof = await attempt(line, (text) => say(`  ${text}`), signal);
    if (proof === undefined) break;
    say(`  ${proof.holds ? "holds" : "FAILS"}: ${proof.measured}`);
    outcomes.push({ name, line, proof });
  }
  return outcomes;
}

/** A line that throws has not been shown, so it fails; undefined when it was stopped. */
async function attempt(line: Line, say: (text: string) => void, signal: AbortSignal): Promise<Proof | undefined> {
  try {
    return await line.run(say, signal);
  } catch (reason) {
    if (signal.aborted || isAbort(reason)) return undefined;
    const text = reason instanceof Error ? reason.message : String(reason);
    return { measured: `not measured: ${text.split("\n")[0]}`, holds: false, details: text.split("\n").slice(1) };
  }
}

function report(outcomes: readonly Outcome[], brief: boolean): string {
  const rows = outcomes.map(({ name, line, proof }) => [
    name,
    line.required,
    proof.measured,
    proof.holds ? "holds" : "FAILS",
  ]);
  const details = outcomes.map(
    ({ name, line, proof }) =>
      `\nline ${name}: ${line.title}\n${proof.details.map((detail) => `  ${detail}\n`).join("")}`,
  );
  return `${textTable(["line", "required", "measured", "verdict"], rows)}${brief ? "" : details.join("")}`;
}

interface Ask {
  readonly names: readonly string[];
  readonly help: boolean;
  readonly brief: boolean;
}

/** readAsk is undefined for a call that is not understood. */
function readAsk(args: readonly string[]): Ask | undefined {
  const flag = { type: "boolean", default: false } as const;
  try {
    const options = { help: { ...flag, short: "h" }, brief: flag };
    const { values, positionals } = parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
    const names = positionals.length === 0 ? [...LINES.keys()] : positionals;
    return names.every((name) => LINES.has(name)) ? { ...values, names } : undefined;
  } catch {
    return undefined;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
