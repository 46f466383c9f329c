import { readFileSync } from "node:fs";
import type { LoadAsk, LoadResult } from "./load-ask.ts";
import { LOAD_BATCH, LoadSockets, REPLY_BYTES } from "./load-sockets.ts";
import { stampMs } from "./stamp.ts";
import { softirqPid, treeCpuSeconds } from "./tree-cpu.ts";

/** After the end, answers may take this long before they are lost; in closed mode, also meanwhile. */
const PATIENCE_MS = 1000;
const IDS = 65_536;
const HEADER = 12;
/** Names of services begin with another letter. */
const CANARY_LETTER = 0x63;
/** Latencies that are kept; a run of more answers stops keeping them. */
const MOST_SAMPLES = 1 << 23;

/** Load is one run of the generator: one thread that never sleeps, so that neither sending nor receiving waits for a
 *  wake-up. */
class Load {
  readonly #ask: LoadAsk;
  readonly #sockets: LoadSockets;
  readonly #queries: Uint8Array;
  readonly #places: Int32Array;
  readonly #lengths: Int32Array;
  /** When each query under way was due, by socket and id; 0: none. */
  readonly #due: Float64Array;
  readonly #nextId: Int32Array;
  readonly #waiting: Int32Array;
  readonly #heard: Float64Array;
  readonly #latencies = new Float32Array(MOST_SAMPLES);
  readonly #lags = new Float32Array(MOST_SAMPLES);
  readonly #canary: [number, number][] = [];
  #samples = 0;
  #lagSamples = 0;
  #nextQuery = 0;
  #turn = 0;
  #random: number;
  #counting = false;
  #sent = 0;
  #answered = 0;
  #wrong = 0;
  #lost = 0;
  #idleMs = 0;

  constructor(ask: LoadAsk) {
    this.#ask = ask;
    this.#queries = readFileSync(ask.queries);
    const places: number[] = [];
    const lengths: number[] = [];
    for (let at = 0; at < this.#queries.length; ) {
      const length = ((this.#queries[at] as number) << 8) | (this.#queries[at + 1] as number);
      places.push(at + 2);
      lengths.push(length);
      at += 2 + length;
    }
    this.#places = Int32Array.from(places);
    this.#lengths = Int32Array.from(lengths);
    this.#sockets = new LoadSockets(ask, ask.sockets, [...new Set(lengths)]);
    this.#due = new Float64Array(ask.sockets * IDS);
    this.#nextId = new Int32Array(ask.sockets);
    this.#waiting = new Int32Array(ask.sockets);
    this.#heard = new Float64Array(ask.sockets);
    this.#random = ask.seed | 1;
  }

  run(): LoadResult {
    const { warmUpSeconds, seconds, pids, mode } = this.#ask;
    const start = performance.now();
    const drive = mode.kind === "open" ? this.#openDriver(start, mode.rate) : this.#closedDriver(mode.outstanding);
    this.#drive(drive, start + warmUpSeconds * 1000);
    const cpu = (): number => pids.reduce((sum, pid) => sum + treeCpuSeconds(pid), 0);
    const kernel = softirqPid();
    const softirq = (): number => (kernel === undefined ? 0 : treeCpuSeconds(kernel));
    const before = { cpu: cpu(), softirq: softirq(), at: performance.now() };
    this.#counting = true;
    this.#drive(drive, before.at + seconds * 1000);
    this.#counting = false;
    const after = { cpu: cpu(), softirq: softirq(), at: performance.now() };
    const answeredInTime = this.#answered;
    this.#drain();
    const took = (after.at - before.at) / 1000;
    return {
      ...{ sent: this.#sent, answered: this.#answered, wrong: this.#wrong, lost: this.#lost },
      perSecond: answeredInTime / took,
      ...this.#percentiles(),
      idleShare: this.#idleMs / 1000 / took,
      cpuSeconds: after.cpu - before.cpu,
      softirqSeconds: after.softirq - before.softirq,
      seconds: took,
      canary: this.#canary,
    };
  }

  #percentiles(): Pick<LoadResult, "p50Us" | "p99Us" | "p999Us" | "maxUs" | "lagP99Us"> {
    const sorted = this.#latencies.subarray(0, this.#samples).sort();
    const lags = this.#lags.subarray(0, this.#lagSamples).sort();
    const at = (of: Float32Array, q: number): number => (of[Math.ceil(q * of.length) - 1] ?? Number.NaN) * 1000;
    return {
      ...{ p50Us: at(sorted, 0.5), p99Us: at(sorted, 0.99), p999Us: at(sorted, 0.999), maxUs: at(sorted, 1) },
      lagP99Us: lags.length === 0 ? 0 : at(lags, 0.99),
    };
  }

  /** drive turns until a moment: a turn that found nothing to do is idle time. */
  #drive(turn: (now: number) => boolean, until: number): void {
    let now = performance.now();
    while (now < until) {
      const busy = turn(now);
      const then = performance.now();
      if (!busy && this.#counting) this.#idleMs += then - now;
      now = then;
    }
  }

  /** openDriver sends what is due, from a socket in turn, and takes what has come. Moments are those of a Poisson
   *  process: strangers do not agree on when to ask. */
  #openDriver(start: number, rate: number): (now: number) => boolean {
    let next = start;
    const gapMs = 1000 / rate;
    return (now) => {
      const which = this.#turn;
      let n = 0;
      while (next <= now && n < LOAD_BATCH) {
        this.#putNext(which, n++, next, now);
        next -= Math.log((this.#next() + 1) / 2 ** 32) * gapMs;
      }
      if (n > 0) {
        this.#send(which, n);
        this.#turn = (which + 1) % this.#sockets.count;
      }
      let heard = 0;
      for (let i = 0; i < this.#sockets.count; i++) if ((this.#waiting[i] as number) > 0) heard += this.#take(i);
      return n + heard > 0;
    };
  }

  /** closedDriver sends as many as were answered; where nothing was heard for long, what is under way is lost. */
  #closedDriver(outstanding: number): (now: number) => boolean {
    const each = Math.max(1, Math.min(LOAD_BATCH, Math.round(outstanding / this.#sockets.count)));
    return (now) => {
      let work = 0;
      for (let i = 0; i < this.#sockets.count; i++) {
        const heard = (this.#waiting[i] as number) > 0 ? this.#take(i) : 0;
        if (heard > 0) this.#heard[i] = now;
        else if ((this.#waiting[i] as number) > 0 && now - (this.#heard[i] as number) > PATIENCE_MS) this.#giveUp(i);
        const n = each - (this.#waiting[i] as number);
        if (n <= 0) continue;
        if ((this.#heard[i] as number) === 0) this.#heard[i] = now;
        for (let k = 0; k < n; k++) this.#putNext(i, k, now, now);
        this.#send(i, n);
        work += n;
      }
      return work > 0;
    };
  }

  /** putNext readies the next query as the k-th to send from a socket. */
  #putNext(which: number, k: number, due: number, now: number): void {
    const { canaryEvery = 0 } = this.#ask;
    let query = this.#nextQuery++;
    if (canaryEvery > 0) query = query % canaryEvery === 0 ? 0 : 1 + (query % (this.#places.length - 1));
    else query %= this.#places.length;
    const id = this.#nextId[which] as number;
    this.#nextId[which] = (id + 1) & 0xffff;
    // Ids come round after 65,536 queries of a socket: whoever still waits for this one has waited for long.
    if (this.#due[which * IDS + id] !== 0) this.#lose(which);
    // What is due before the measured time does not count: its mark is negative.
    this.#due[which * IDS + id] = this.#counting ? due : -due;
    this.#sockets.put(k, this.#queries, this.#places[query] as number, this.#lengths[query] as number, id);
    this.#waiting[which] = (this.#waiting[which] as number) + 1;
    if (!this.#counting) return;
    this.#sent++;
    if (this.#lagSamples < MOST_SAMPLES) this.#lags[this.#lagSamples++] = now - due;
  }

  #send(which: number, n: number): void {
    if (!this.#sockets.send(which, n)) throw new Error("the system does not send: is the server still there?");
  }

  /** take receives once from a socket and gives how many answers that were. */
  #take(which: number): number {
    const count = this.#sockets.receive(which);
    if (count === 0) return 0;
    const now = performance.now();
    for (let i = 0; i < count; i++) this.#reply(which, i, now);
    return count;
  }

  #reply(which: number, i: number, now: number): void {
    const { replies } = this.#sockets;
    const at = i * REPLY_BYTES;
    const place = which * IDS + (((replies[at] as number) << 8) | (replies[at + 1] as number));
    const due = this.#due[place] as number;
    if (due === 0) return;
    this.#due[place] = 0;
    this.#waiting[which] = (this.#waiting[which] as number) - 1;
    if (due < 0) return;
    this.#answered++;
    if (((replies[at + 3] as number) & 15) !== 0 || ((replies[at + 6] as number) | (replies[at + 7] as number)) === 0) {
      this.#wrong++;
    }
    if (this.#samples < MOST_SAMPLES) this.#latencies[this.#samples++] = now - due;
    if (this.#ask.canaryEvery !== undefined) this.#sawCanary(at, i);
  }

  /** sawCanary notes when an address of the canary was seen first. Its name is told by its first label. */
  #sawCanary(at: number, i: number): void {
    const { replies } = this.#sockets;
    if (replies[at + HEADER + 1] !== CANARY_LETTER) return;
    const end = at + this.#sockets.replyLength(i);
    const address = new DataView(replies.buffer, end - 4, 4).getUint32(0);
    if (address > (this.#canary.at(-1)?.[0] ?? -1)) this.#canary.push([address, stampMs()]);
  }

  #lose(which: number): void {
    this.#waiting[which] = (this.#waiting[which] as number) - 1;
    if (this.#counting) this.#lost++;
  }

  #giveUp(which: number): void {
    if (this.#counting) this.#lost += this.#waiting[which] as number;
    this.#due.fill(0, which * IDS, (which + 1) * IDS);
    this.#waiting[which] = 0;
  }

  /** drain waits for what is under way. */
  #drain(): void {
    const until = performance.now() + PATIENCE_MS;
    while (performance.now() < until && this.#waiting.some((n) => n > 0)) {
      for (let i = 0; i < this.#sockets.count; i++) this.#take(i);
    }
    for (const due of this.#due) if (due > 0) this.#lost++;
  }

  /** xorshift32 (G. Marsaglia, 2003), 0 to 2^32 - 1. */
  #next(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return x >>> 0;
  }
}

// Runs alone on a CPU: `dns-load.ts ASK`.
if (import.meta.main) {
  const ask = JSON.parse(process.argv[2] ?? "") as LoadAsk;
  process.stdout.write(`${JSON.stringify(new Load(ask).run())}\n`);
}
