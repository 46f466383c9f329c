import { aborted, type Clock, type Log, type Room, type Troubles } from "#life";
import type { Ip, Millis, Result } from "#values";
import { Bench, type BenchAsk } from "./bench.ts";
import type { BenchResult } from "./bench-result.ts";
import type { FromWorker, ProbeMode, ThroughputAnswer, ThroughputOrder } from "./messages.ts";
import { isStretched, MAX_PROBES_PER_SECOND, paceFor } from "./pace.ts";
import { type PeerState, peerState } from "./peer-state.ts";
import { ProbeMail } from "./probe-mail.ts";
import type { ProbeReport, ProbeTarget } from "./report.ts";
import { startThread, type Thread } from "./thread.ts";

export interface ProberOptions {
  /** Our own global address: probes leave from it and are answered on it. */
  readonly address: Ip;
  /** UDP for probes and TCP for throughput tests, the same at all gateways. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly troubles: Troubles;
  readonly random: () => number;
  /** "auto", the default, takes the C library's batched calls where they can be had, else node:dgram. */
  readonly mode?: ProbeMode | "auto";
}

/** Prober measures the ways to the peers' gateways and gives verdicts on them. */
export interface Prober extends Room {
  /** setTargets replaces all targets; one that stays the same keeps its history. Throws on two of the same id. */
  setTargets(targets: readonly ProbeTarget[]): void;
  /** setState is what every probe and echo of ours says from now on; null says nothing. */
  setState(state: PeerState | null): void;
  /** reports is at most half a second old, verdicts are current. */
  reports(): readonly ProbeReport[];
  /** onVerdict hears of each change; a target is down until it was heard to be up. */
  onVerdict(listener: (id: string, up: boolean) => void): void;
  /** bench measures some targets, all at once, then one after the other their throughput. An error says that a target is
   *  unknown or another benchmark runs; aborting the signal rejects. */
  bench(ask: BenchAsk): Promise<Result<readonly BenchResult[], string>>;
  /** Resolves once probes are sent and answered. */
  readonly started: Promise<void>;
  mode(): ProbeMode;
  /** Datagrams that reached the probe port and were not ours. */
  junk(): number;
}

/** createProber keeps its options; run() starts the threads. What is set before is kept for them. */
export function createProber(options: ProberOptions): Prober {
  return new ThreadedProber(options);
}

/** ThreadedProber is the main thread's side: it keeps what was set, and what the threads said last. All work is done by
 *  one thread for probes and one for bulk data. */
class ThreadedProber implements Prober {
  readonly name = "probe";
  readonly started: Promise<void>;
  readonly #options: ProberOptions;
  readonly #listeners: ((id: string, up: boolean) => void)[] = [];
  /** Verdicts as last heard; the reports lag behind them by up to half a second. */
  readonly #since = new Map<string, { readonly up: boolean; readonly since: Millis }>();
  readonly #bench: Bench;
  readonly #begin: () => void;
  #targets: readonly ProbeTarget[] = [];
  #state: PeerState | null = null;
  #reports = new Map<string, Omit<ProbeReport, "since">>();
  #junk = 0;
  /** Counts the calls of setTargets. */
  #revision = 0;
  #mode: ProbeMode;
  /** The threads; null while the prober does not run. */
  #probes: ProbeMail | null = null;
  #throughput: Thread<ThroughputOrder> | null = null;

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#mode = options.mode === "dgram" ? "dgram" : "ffi";
    const { promise, resolve } = Promise.withResolvers<void>();
    this.started = promise;
    this.#begin = resolve;
    this.#bench = new Bench({
      log: options.log,
      ping: (message) => this.#probes?.post(message),
      measure: (order) => this.#throughput?.post(order),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { address, port, mode = "auto", random } = this.#options;
    const setup = { address, port, mode, seed: random() };
    const probes = new ProbeMail(setup, (message) => this.#hear(message));
    const throughput = startThread<ThroughputAnswer, ThroughputOrder>(
      new URL("./throughput-worker.ts", import.meta.url),
      { address, port },
      (answer) => this.#hearThroughput(answer),
    );
    this.#probes = probes;
    this.#throughput = throughput;
    this.#tell();
    try {
      await Promise.race([aborted(signal), probes.ended, throughput.ended]);
      if (!signal.aborted) throw new Error("a thread of the prober ended early");
    } finally {
      this.#probes = null;
      this.#throughput = null;
      this.#bench.stop();
      probes.post({ kind: "stop" });
      throughput.post({ kind: "stop" });
      await Promise.allSettled([probes.ended, throughput.ended]);
    }
  }

  setTargets(targets: readonly ProbeTarget[]): void {
    const ids = new Set(targets.map((target) => target.id));
    if (ids.size !== targets.length) throw new RangeError("two targets have the same id");
    const now = this.#options.clock.now();
    const before = new Map(this.#targets.map((target) => [target.id, target]));
    for (const target of targets) {
      const held = before.get(target.id);
      const same = held?.address === target.address && held.interface === target.interface;
      if (!same) this.#forget(target.id);
      before.delete(target.id);
      if (!this.#since.has(target.id)) this.#since.set(target.id, { up: false, since: now });
    }
    for (const id of before.keys()) this.#forget(id);
    this.#targets = [...targets];
    this.#revision += 1;
    this.#showPace();
    this.#tellTargets();
  }

  setState(state: PeerState | null): void {
    this.#state = state === null ? null : peerState(state);
    this.#probes?.post({ kind: "state", state: this.#state });
  }

  reports(): readonly ProbeReport[] {
    return this.#targets.map(({ id }) => {
      const { up, since } = this.#since.get(id) ?? { up: false, since: this.#options.clock.now() };
      return { ...(this.#reports.get(id) ?? unmeasured(id)), up, since };
    });
  }

  onVerdict(listener: (id: string, up: boolean) => void): void {
    this.#listeners.push(listener);
  }

  async bench(ask: BenchAsk): Promise<Result<readonly BenchResult[], string>> {
    return this.#bench.run(ask, new Map(this.#targets.map((target) => [target.id, target])), this.#probes !== null);
  }

  mode(): ProbeMode {
    return this.#mode;
  }

  junk(): number {
    return this.#junk;
  }

  /** hear takes what the probe thread says. */
  #hear(message: FromWorker): void {
    const { troubles, address } = this.#options;
    if (message.kind === "verdict") this.#verdict(message.id, message.up);
    if (message.kind === "bench") this.#bench.measured(message.result, message.run);
    if (message.kind === "reports" && message.revision === this.#revision) this.#take(message.reports);
    if (message.kind === "reports") this.#junk = message.junk;
    if (message.kind === "not-open") {
      const title = "Probes cannot be sent";
      troubles.set({ code: "probe-socket", severity: "critical", title, subject: address, detail: message.reason });
    }
    if (message.kind === "open") this.#opened(message.mode, message.fallback);
  }

  #opened(mode: ProbeMode, fallback: string | null): void {
    const { troubles, address } = this.#options;
    this.#mode = mode;
    troubles.clear("probe-socket", address);
    if (fallback !== null) {
      const title = "Probes use node:dgram: each costs more, and the routes choose its tunnel";
      troubles.set({ code: "probe-fallback", severity: "info", title, subject: "", detail: fallback });
    }
    this.#begin();
  }

  /** take keeps the reports, and sets right what a verdict on the targets before may have got wrong: it was on its way
   *  when they changed. */
  #take(reports: readonly Omit<ProbeReport, "since">[]): void {
    this.#reports = new Map(reports.map((report) => [report.id, report]));
    for (const { id, up } of reports) {
      if (this.#since.get(id)?.up !== up) this.#verdict(id, up);
    }
  }

  #verdict(id: string, up: boolean): void {
    if (!this.#since.has(id)) return; // a target that was removed while its verdict was on the way
    this.#since.set(id, { up, since: this.#options.clock.now() });
    this.#options.log[up ? "info" : "warn"](`way to ${id} is ${up ? "up" : "down"}`, { peer: id, up });
    for (const listener of this.#listeners) listener(id, up);
  }

  /** hearThroughput takes what the throughput thread says. */
  #hearThroughput(answer: ThroughputAnswer): void {
    const { troubles, address } = this.#options;
    if (answer.kind === "measured") return this.#bench.throughput(answer.result, answer.run);
    if (answer.fault === null) return troubles.clear("probe-throughput", address);
    const title = "Throughput tests of peers are not served";
    troubles.set({ code: "probe-throughput", severity: "warning", title, subject: address, detail: answer.fault });
  }

  /** showPace raises or clears `probe-slow`. */
  #showPace(): void {
    const count = this.#targets.length;
    if (!isStretched(count)) return this.#options.troubles.clear("probe-slow");
    const { intervalMs } = paceFor(count);
    const detail =
      `${count} targets share ${MAX_PROBES_PER_SECOND} probes a second: each is probed every ` +
      `${Math.round(intervalMs)} ms, and a failure is seen that much later`;
    const title = "Failures are detected more slowly";
    this.#options.troubles.set({ code: "probe-slow", severity: "info", title, subject: "", detail });
  }

  /** tell gives new threads what was set before they ran. */
  #tell(): void {
    this.#probes?.post({ kind: "state", state: this.#state });
    this.#tellTargets();
  }

  #tellTargets(): void {
    this.#probes?.post({ kind: "targets", revision: this.#revision, targets: this.#targets });
    this.#throughput?.post({ kind: "peers", addresses: this.#targets.map((target) => target.address) });
  }

  #forget(id: string): void {
    this.#since.delete(id);
    this.#reports.delete(id);
  }
}

/** unmeasured is the report of a target before its first one from the thread. */
function unmeasured(id: string): Omit<ProbeReport, "since" | "up"> {
  return {
    id,
    rttSeconds: null,
    jitterSeconds: null,
    lossRatio: 0,
    sent: 0,
    received: 0,
    histogram: [],
    histogramCount: 0,
    histogramSum: 0,
    peerState: null,
  };
}
