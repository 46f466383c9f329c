import { Packet } from "dns2";
import { Answerer } from "./answerer.ts";
import { CookieSecrets, cookieMemory } from "./cookie-secrets.ts";
import { Counters, counterMemory } from "./counters.ts";
import { headless, ip, pods, virtual } from "./example-services.ts";
import { type PacketOptions, packetPolicy } from "./packet-options.ts";
import { packetPath } from "./packet-path.ts";
import { rateMemory } from "./rate-limiter.ts";
import { steadyTime } from "./steady-time.ts";
import { testbed, ZONE } from "./testbed.ts";
import { PacketSource } from "./testbed-packets.ts";
import { strictFault } from "./testbed-strict.ts";
import { type ZoneService, zoneShape } from "./zone.ts";
import { ZoneReader } from "./zone-reader.ts";

/** What the fuzzers ask: services of both kinds, one of them larger than any message. */
export const FUZZ_SERVICES: readonly ZoneService[] = [
  virtual({ addresses: [ip("10.0.0.1"), ip("fd00::1")] }),
  headless(pods(60, true)),
  headless(pods(5000, true), { name: "big" }),
  ...Array.from({ length: 100 }, (_, i) => virtual({ name: `s${i}` })),
];

export interface FuzzReport {
  packets: number;
  replies: number;
  /** Replies that dns2's decoder read as well. */
  readBySecond: number;
  readonly kinds: Record<string, number>;
  readonly rcodes: Record<string, number>;
  /** The packet that took longest, at its best of three times: what is not its own fault is not counted. */
  slowestMs: number;
  slowest: string;
  /** The longest time of all, with the collector's and other programs' turns. */
  longestMs: number;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly packets: number;
  /** When to stop before that, in milliseconds from the first packet. */
  readonly spanMs?: number;
  /** Every so-and-so-manyth reply goes to dns2's decoder too: it takes longer than all the rest. */
  readonly secondEvery: number;
  readonly onProgress?: (report: FuzzReport) => void;
}

export function emptyReport(): FuzzReport {
  const counts = { packets: 0, replies: 0, readBySecond: 0, slowestMs: 0, longestMs: 0 };
  return { ...counts, kinds: {}, rcodes: {}, slowest: "" };
}

/** faultOf says what is wrong with a reply to a packet, empty meaning silence; undefined where nothing is. */
export function faultOf(packet: Uint8Array, reply: Uint8Array, tcp: boolean): string | undefined {
  const response = packet.length >= 12 && ((packet[2] ?? 0) & 0x80) !== 0;
  if (packet.length < 12 || response) return reply.length === 0 ? undefined : "a reply where there may be none";
  if (reply.length === 0) return "silence";
  if (reply[0] !== packet[0] || reply[1] !== packet[1]) return "another id";
  if ((((reply[2] ?? 0) ^ (packet[2] ?? 0)) & 0x78) !== 0) return "another opcode";
  const hasOpt = ((reply[10] ?? 0) << 8) + (reply[11] ?? 0) > 0;
  if (!tcp && reply.length > (hasOpt ? 1232 : 512)) return `${reply.length} octets by UDP`;
  const asks = (reply[5] ?? 0) === 1;
  if (asks && !sameQuestion(packet, reply)) return "another question";
  return strictFault(reply);
}

function sameQuestion(packet: Uint8Array, reply: Uint8Array): boolean {
  let end = 12;
  while ((reply[end] ?? 0) !== 0) end += 1 + (reply[end] ?? 0);
  return Buffer.compare(reply.subarray(12, end + 5), packet.subarray(12, end + 5)) === 0;
}

/** secondFault says what dns2's decoder, which others wrote, finds wrong with a reply. */
export function secondFault(reply: Uint8Array): string | undefined {
  try {
    const packet = Packet.parse(Buffer.from(reply.buffer, reply.byteOffset, reply.length));
    return packet.errors[0]?.message;
  } catch (reason) {
    return String(reason);
  }
}

export class FuzzFault extends Error {}

/** fail names everything that is needed to see a fault again. */
export function fail(seed: number, kind: string, packet: Uint8Array, fault: string, reply: Uint8Array): never {
  const shown = reply.subarray(0, 600).toHex();
  throw new FuzzFault(`seed ${seed}, ${kind} packet ${packet.toHex()}: ${fault}; the reply was ${shown}`);
}

/** fuzzAnswerer sends packets to answerers in this thread: one as responders are made, by UDP and TCP, and one with rate
 *  limits, which may also be silent. It throws at the first fault. */
export function fuzzAnswerer({ seed, packets, spanMs = Infinity, secondEvery, onProgress }: FuzzOptions): FuzzReport {
  const report = emptyReport();
  const source = new PacketSource(seed);
  const target = new Target();
  const until = performance.now() + spanMs;
  for (let n = 0; n < packets; n++) {
    source.next();
    const packet = source.octets.subarray(0, source.length);
    const tcp = source.below(4) === 0;
    const limits = source.below(8) === 0;
    const reply = timed(report, target, packet, tcp, limits);
    const held = limits && reply.length === 0;
    const fault = held ? undefined : faultOf(packet, reply, tcp);
    if (fault !== undefined) fail(seed, source.kind, packet, fault, reply);
    note(report, source.kind, reply);
    source.learn(reply);
    if (reply.length > 0 && report.replies % secondEvery === 0) {
      const second = secondFault(reply);
      if (second !== undefined) fail(seed, source.kind, packet, second, reply);
      report.readBySecond++;
    }
    if (n % 1000 === 999) {
      target.change(source);
      if (performance.now() > until) break;
    }
    if (n % 200_000 === 199_999) onProgress?.(report);
  }
  return report;
}

/** note counts a packet and what came of it. */
export function note(report: FuzzReport, kind: string, reply: Uint8Array): void {
  report.packets++;
  report.kinds[kind] = (report.kinds[kind] ?? 0) + 1;
  const rcode = reply.length === 0 ? "silence" : `code ${(reply[3] ?? 0) & 15}`;
  report.rcodes[rcode] = (report.rcodes[rcode] ?? 0) + 1;
  if (reply.length > 0) report.replies++;
}

/** A millisecond is a thousand times what a packet takes: one that took so long is tried again, since the machine may have
 *  been elsewhere meanwhile. */
function timed(report: FuzzReport, target: Target, packet: Uint8Array, tcp: boolean, limits: boolean): Uint8Array {
  const before = performance.now();
  const reply = target.answer(packet, tcp, limits);
  const took = performance.now() - before;
  if (took < 1 && took <= report.slowestMs) return reply;
  report.longestMs = Math.max(report.longestMs, took);
  let best = took;
  const kept = reply.slice();
  for (let again = 0; again < 2; again++) {
    const since = performance.now();
    target.answer(packet, tcp, limits);
    best = Math.min(best, performance.now() - since);
  }
  if (best > report.slowestMs) {
    report.slowestMs = best;
    report.slowest = packet.toHex();
  }
  return kept;
}

const OUT = 8192;

/** Target is two answerers over one zone, asked in one memory as listeners ask. */
class Target {
  readonly #bed = testbed(FUZZ_SERVICES);
  readonly #octets = new Uint8Array(OUT + 65_536);
  readonly #open = this.#answerer({});
  readonly #limited = this.#answerer({ rateLimit: { responsesPerSecond: 5, slip: 2, accounts: 1024 } });
  #asker = 0;

  #answerer(options: Partial<PacketOptions>): Answerer {
    const policy = packetPolicy({ ...options, nsid: "fuzz" });
    const secrets = cookieMemory();
    new CookieSecrets(secrets).set(new Uint8Array(16).fill(9));
    const rates = policy.rateLimit === undefined ? undefined : rateMemory(policy.rateLimit, [3, 5]);
    const counters = new Counters(counterMemory(1), 0);
    const path = packetPath(
      { policy, secrets, rates },
      { counters, keepaliveMs: 30_000, now: () => 1e12, steady: steadyTime },
    );
    return new Answerer(new ZoneReader(this.#bed.memory, zoneShape(ZONE)), 7, path);
  }

  /** The octets behind a packet are the ones of another, so that reading too far shows. */
  answer(packet: Uint8Array, tcp: boolean, limits: boolean): Uint8Array {
    const octets = this.#octets;
    octets.set(packet, 16);
    octets.fill(0xc1, 16 + packet.length, 80 + packet.length);
    const answerer = limits ? this.#limited : this.#open;
    this.#asker = (this.#asker + 1) & 3;
    octets.fill(this.#asker, 0, 16);
    answerer.asker.set(octets, 0, (this.#asker & 1) === 0 ? 4 : 16);
    return octets.subarray(OUT, OUT + answerer.answer(octets, 16, packet.length, OUT, tcp));
  }

  /** change replaces a service, so that the zone's memory moves under the fuzzer too. */
  change(source: PacketSource): void {
    const name = `s${source.below(100)}`;
    this.#bed.builder.put(virtual({ name, addresses: [ip(`10.1.${source.below(256)}.1`)] }));
    this.#bed.builder.endBatch();
  }
}
