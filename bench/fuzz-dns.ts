import { parseArgs } from "node:util";
import { FUZZ_SERVICES, type FuzzReport, fuzzAnswerer } from "../src/dns/testbed-fuzz.ts";
import { fuzzSockets } from "../src/dns/testbed-fuzz-sockets.ts";
import { stopSignal } from "./in-run.ts";

const HELP = `fuzz-dns: random, mutated and grammar-built packets to the DNS responder; every reply is checked.

  node bench/fuzz-dns.ts [--packets 10000000] [--seed 1] [--second-every 1]

Four fifths go to the answerer in this process, by UDP's and TCP's rules; a tenth each over real UDP and TCP sockets to a
responder by batches and to one by Node's sockets. Every reply is read by a strict decoder and
by dns2's, or by that one every so-and-so-manyth.
The same seed sends the same packets.
`;

interface Ask {
  readonly packets: number;
  readonly seed: number;
  readonly secondEvery: number;
}

/** readAsk is undefined for a call that is not understood, or asks for help. */
function readAsk(args: readonly string[]): Ask | undefined {
  try {
    const number = { type: "string" } as const;
    const options = {
      packets: number,
      seed: number,
      "second-every": number,
      help: { type: "boolean", short: "h" },
    } as const;
    const { values } = parseArgs({ args: [...args], options, strict: true });
    if (values.help === true) return undefined;
    const ask = {
      packets: Number(values.packets ?? 10_000_000),
      seed: Number(values.seed ?? 1),
      secondEvery: Number(values["second-every"] ?? 1),
    };
    return Object.values(ask).every((value) => Number.isSafeInteger(value) && value > 0) ? ask : undefined;
  } catch {
    return undefined;
  }
}

const MIB = 1 << 20;

/** Memory watches how large this process gets in one part of the work, once that has warmed up. */
class Memory {
  #base: number | undefined;
  grown = 0;

  sample(): void {
    const { rss } = process.memoryUsage();
    this.#base ??= rss;
    this.grown = Math.max(this.grown, rss - this.#base);
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function show(where: string, report: FuzzReport, seconds: number, grown: number): void {
  const { packets, replies, readBySecond, slowestMs, longestMs, kinds, rcodes } = report;
  process.stdout.write(
    [
      `${where}: ${packets} packets in ${seconds.toFixed(0)} s, ${replies} replies, all read strictly, ${readBySecond} by dns2`,
      `  slowest packet ${slowestMs.toFixed(3)} ms (longest with the machine's pauses ${longestMs.toFixed(1)} ms)`,
      `  memory grew by ${(grown / MIB).toFixed(1)} MiB after the first tenth`,
      `  ${JSON.stringify(kinds)}`,
      `  ${JSON.stringify(rcodes)}`,
      "",
    ].join("\n"),
  );
}

async function main(args: readonly string[]): Promise<number> {
  const ask = readAsk(args);
  if (ask === undefined) {
    say(HELP);
    return args.some((arg) => arg === "-h" || arg === "--help") ? 0 : 2;
  }
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  say(`seed ${ask.seed}, ${ask.packets} packets, ${FUZZ_SERVICES.length} services`);
  const inProcess = Math.floor(ask.packets * 0.8);
  const overSockets = Math.floor((ask.packets - inProcess) / 2);
  const progress = (of: number, memory: Memory) => (report: FuzzReport) => {
    if (report.packets >= of / 10) memory.sample();
    say(`  ${report.packets} of ${of}, ${seconds().toFixed(0)} s, slowest ${report.slowestMs.toFixed(3)} ms`);
  };
  const own = new Memory();
  const whole = { ...ask, packets: inProcess, onProgress: progress(inProcess, own) };
  show("in process", fuzzAnswerer(whole), seconds(), own.grown);
  const signal = stopSignal();
  for (const mode of ["ffi", "dgram"] as const) {
    const since = seconds();
    const memory = new Memory();
    const of = { ...ask, seed: ask.seed + 1, packets: overSockets, onProgress: progress(overSockets, memory) };
    show(`sockets, ${mode}`, await fuzzSockets(mode, of, signal), seconds() - since, memory.grown);
  }
  return 0;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
