import { readFileSync, writeFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createResponder, type Responder, type UdpMode } from "#dns";
import { silentLog, systemClock, Troubles } from "#life";
import { expect, parseIp } from "#values";
import { canaryService, ORIGIN, serviceAddress, TTL, zoneService } from "./dns-workload.ts";
import { stampMs } from "./stamp.ts";

/** DnsServerAsk is what our responder is to serve. It is read from a file: `dns-server.ts ASK.json`. */
export interface DnsServerAsk {
  readonly port: number;
  readonly services: number;
  readonly mode: UdpMode;
  /** Services changed a second, one after the other, from SIGUSR1 until SIGUSR2. */
  readonly changesPerSecond: number;
  /** Where the canary's addresses and the moment of each change are written at SIGUSR2. */
  readonly stamps?: string;
}

/** Every so many changes one is the canary's. */
const CANARY_EVERY = 20;

/** Churn changes services one by one, each by an update of its own, at an even rate. */
class Churn {
  readonly #responder: Responder;
  readonly #ask: DnsServerAsk;
  readonly #stamps: [address: number, atMs: number][] = [];
  #timer: NodeJS.Timeout | undefined;
  #changes = 0;
  #canary = 0;

  constructor(responder: Responder, ask: DnsServerAsk) {
    this.#responder = responder;
    this.#ask = ask;
  }

  start(): void {
    const begin = performance.now();
    const before = this.#changes;
    this.#timer = setInterval(() => {
      const due = before + ((performance.now() - begin) * this.#ask.changesPerSecond) / 1000;
      while (this.#changes < due) this.#change();
    }, 1);
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#ask.stamps !== undefined) writeFileSync(this.#ask.stamps, JSON.stringify(this.#stamps));
    this.#stamps.length = 0;
  }

  #change(): void {
    const n = this.#changes++;
    if (n % CANARY_EVERY === 0) {
      const address = serviceAddress(++this.#canary);
      this.#stamps.push([Buffer.from(address.split(".").map(Number)).readUInt32BE(), stampMs()]);
      this.#responder.update([{ kind: "service", service: canaryService(this.#canary) }]);
      return;
    }
    const i = n % this.#ask.services;
    this.#responder.update([{ kind: "service", service: zoneService(i, serviceAddress((i + n) & 0xffff)) }]);
  }
}

/** Given at once, as objects, they would have to be in memory at once: no source does that. */
const AT_A_TIME = 1000;

/** fill gives a responder all services in pieces. */
async function fill(responder: Responder, count: number): Promise<void> {
  responder.update([{ kind: "service", service: canaryService(0) }]);
  for (let first = 0; first < count; first += AT_A_TIME) {
    const piece = Array.from({ length: Math.min(AT_A_TIME, count - first) }, (_, i) => zoneService(first + i));
    responder.update(piece.map((service) => ({ kind: "service", service })));
    await nextTurn();
  }
  responder.update([{ kind: "synced", synced: true }]);
}

// Runs our responder alone, with its counters on, as a program of its own to be measured.
if (import.meta.main) {
  const ask = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as DnsServerAsk;
  const host = expect(parseIp("127.0.0.1"));
  const responder = createResponder({
    listen: [{ host, port: ask.port }],
    zone: { origin: ORIGIN, ttl: TTL, serverAddresses: [host] },
    mode: ask.mode,
    ...{ log: silentLog, clock: systemClock, troubles: new Troubles() },
  });
  const stop = new AbortController();
  process.once("SIGTERM", () => stop.abort());
  const running = responder.run(stop.signal);
  await fill(responder, ask.services);
  const churn = new Churn(responder, ask);
  process.on("SIGUSR1", () => churn.start());
  process.on("SIGUSR2", () => churn.stop());
  await running;
}
