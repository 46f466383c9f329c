import type { Log } from "#life";
import { err, ok, type Result } from "#values";
import type { BenchResult } from "./bench-result.ts";
import type { ThroughputOrder, ToWorker } from "./messages.ts";
import type { ProbeTarget } from "./report.ts";
import { MAX_TEST_MS } from "./throughput.ts";

/** BenchAsk is one benchmark: `durationMs` of ping-pong with all `ids` at once, then as much of TCP to each. */
export interface BenchAsk {
  readonly ids: readonly string[];
  readonly durationMs: number;
  readonly throughput: boolean;
  readonly signal: AbortSignal;
}

export interface BenchOptions {
  readonly log: Log;
  /** To the probe thread. */
  readonly ping: (message: ToWorker) => void;
  /** To the throughput thread. */
  readonly measure: (order: ThroughputOrder) => void;
}

/** Bench runs one benchmark at a time over the two threads:
 *
 *      run ──ping──> probe thread ──measured──> all there? ──measure──> throughput thread ──throughput──> next peer
 *
 *  Latency comes first and alone: a bulk transfer beside it would fill the queues whose delay it measures. */
export class Bench {
  readonly #options: BenchOptions;
  /** What is here of this run's ping-pong figures. */
  #results = new Map<string, BenchResult>();
  #waiting: ReadonlySet<string> = new Set();
  /** Called when the last figures are here. */
  #pinged: (() => void) | null = null;
  #measured: ((result: Result<number, string>) => void) | null = null;
  /** Aborted by stop(); null while no benchmark runs. */
  #running: AbortController | null = null;
  /** Number of the benchmark that runs or ran last. */
  #run = 0;

  constructor(options: BenchOptions) {
    this.#options = options;
  }

  /** run checks the ask, then measures. `open` tells whether there are threads to do it. */
  async run(
    ask: BenchAsk,
    targets: ReadonlyMap<string, ProbeTarget>,
    open: boolean,
  ): Promise<Result<readonly BenchResult[], string>> {
    const fault = faultOf(ask, targets);
    if (fault !== null) return err(fault);
    if (!open) return err("the prober does not run");
    if (this.#running !== null) return err("another benchmark is running: try again when it has ended");
    this.#running = new AbortController();
    this.#run += 1;
    const signal = AbortSignal.any([ask.signal, this.#running.signal]);
    try {
      signal.throwIfAborted();
      const results = await this.#pingAll(ask, signal);
      if (!ask.throughput) return ok(results);
      const full: BenchResult[] = [];
      for (const result of results) {
        const target = targets.get(result.id);
        full.push(target === undefined ? result : await this.#withThroughput(result, target, ask.durationMs, signal));
      }
      return ok(full);
    } finally {
      this.#running = null;
      this.#pinged = null;
      this.#measured = null;
    }
  }

  /** measured takes one target's ping-pong figures. */
  measured(result: BenchResult, run: number): void {
    if (run !== this.#run || !this.#waiting.has(result.id)) return;
    this.#results.set(result.id, result);
    if (this.#results.size === this.#waiting.size) this.#pinged?.();
  }

  /** throughput takes the bits per second of the one that is measured. */
  throughput(result: Result<number, string>, run: number): void {
    if (run === this.#run) this.#measured?.(result);
  }

  /** stop ends what runs, as if its caller had aborted it. */
  stop(): void {
    this.#running?.abort();
  }

  async #pingAll({ ids, durationMs }: BenchAsk, signal: AbortSignal): Promise<readonly BenchResult[]> {
    this.#results = new Map();
    this.#waiting = new Set(ids);
    const all = new Promise<void>((resolve) => {
      this.#pinged = resolve;
    });
    this.#options.ping({ kind: "bench", run: this.#run, ids, durationMs });
    await orAbort(all, signal, () => this.#options.ping({ kind: "bench-stop", ids }));
    return ids.flatMap((id) => this.#results.get(id) ?? []);
  }

  async #withThroughput(
    result: BenchResult,
    { id, address }: ProbeTarget,
    durationMs: number,
    signal: AbortSignal,
  ): Promise<BenchResult> {
    const answer = new Promise<Result<number, string>>((resolve) => {
      this.#measured = resolve;
    });
    this.#options.measure({ kind: "measure", run: this.#run, to: address, durationMs });
    const measured = await orAbort(answer, signal, () => this.#options.measure({ kind: "cancel" }));
    if (!measured.ok) this.#options.log.warn(`no throughput of ${id}: ${measured.error}`, { peer: id });
    return { ...result, bitsPerSecond: measured.ok ? measured.value : null };
  }
}

/** faultOf names what is wrong with an ask; null where it is good. */
function faultOf({ ids, durationMs }: BenchAsk, targets: ReadonlyMap<string, ProbeTarget>): string | null {
  const unknown = ids.filter((id) => !targets.has(id));
  if (unknown.length > 0) return `no such peer: ${unknown.join(", ")}; there are ${[...targets.keys()].join(", ")}`;
  if (ids.length === 0) return "there is no peer to measure";
  if (new Set(ids).size !== ids.length) return "a peer is named twice";
  const good = durationMs >= 1 && durationMs <= MAX_TEST_MS;
  return good ? null : `a benchmark lasts 1 ms to ${MAX_TEST_MS / 1000} s: ${durationMs} ms`;
}

/** orAbort waits for a promise or rejects with the signal's reason, after telling whoever works to stop. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal, cancel: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel();
      reject(signal.reason);
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    void work.then((value) => {
      signal.removeEventListener("abort", onAbort);
      resolve(value);
    });
  });
}
