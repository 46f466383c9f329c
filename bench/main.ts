import { parseArgs } from "node:util";
import { findRights, requirePrograms } from "#lab";
import { BENCHMARKS, PARTS } from "./benchmarks.ts";
import { stopSignal } from "./in-run.ts";
import { failures, reportText } from "./report.ts";

const HELP = `bench: measures the program against others, as ratios of interleaved pairs.

  make bench                    all of them, in about 25 minutes
  node bench/main.ts p7 p22     only these
  --quick                       a smoke within a minute; its figures say nothing

${BENCHMARKS.map(({ name, title }) => `  ${name.padEnd(16)}${title}`).join("\n")}

Parts of them, which run alone when named: ${PARTS.map(({ name }) => name).join(", ")}
`;

/** main gives the exit code: 0 measured (a target that is missed is a figure, not a failure), 1 something could not be
 *  measured, 2 a wrong call. */
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
    say(`bench: ${fault}`);
    return 1;
  }
  const named = [...BENCHMARKS, ...PARTS].filter(({ name }) => ask.names.includes(name));
  const chosen = ask.names.length === 0 ? BENCHMARKS : named;
  return runAllOf(chosen, ask.quick, say);
}

async function runAllOf(chosen: typeof BENCHMARKS, quick: boolean, say: (text: string) => void): Promise<number> {
  const signal = stopSignal();
  let broken = 0;
  for (const benchmark of chosen) {
    if (signal.aborted) return 130;
    say(`${benchmark.name} …`);
    try {
      const outcome = await benchmark.run({ quick, say: (text) => say(`  ${text}`), signal });
      process.stdout.write(reportText(benchmark.title, outcome));
      const missed = failures(outcome);
      if (missed.length > 0 && !quick) process.stdout.write(`  missed: ${missed.join("; ")}\n`);
    } catch (reason) {
      if (signal.aborted) return 130;
      broken += 1;
      say(`${benchmark.name} could not be measured: ${reason instanceof Error ? reason.message : String(reason)}`);
    }
  }
  return broken === 0 ? 0 : 1;
}

interface Ask {
  readonly names: readonly string[];
  readonly quick: boolean;
  readonly help: boolean;
}

/** readAsk is undefined for a call that is not understood. */
function readAsk(args: readonly string[]): Ask | undefined {
  const flag = { type: "boolean", default: false } as const;
  try {
    const options = { quick: flag, help: { ...flag, short: "h" } };
    const { values, positionals: names } = parseArgs({
      args: [...args],
      options,
      strict: true,
      allowPositionals: true,
    });
    const known = names.every((name) => [...BENCHMARKS, ...PARTS].some((benchmark) => benchmark.name === name));
    return known ? { ...values, names } : undefined;
  } catch {
    return undefined;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
