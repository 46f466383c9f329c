import {
  emptyReport,
  FUZZ_SERVICES,
  type FuzzOptions,
  type FuzzReport,
  fail,
  faultOf,
  note,
  secondFault,
} from "./testbed-fuzz.ts";
import { PacketSource } from "./testbed-packets.ts";
import { wire } from "./testbed-wire.ts";
import type { UdpMode } from "./udp-thread.ts";

/** Packets under way at once: fewer than a socket's buffer holds, so that none is lost. */
const WINDOW = 50;

/** fuzzSockets sends packets to a running responder, three quarters by UDP and the rest by TCP. It throws at the first
 *  fault, and where the responder has one of its own. */
export async function fuzzSockets(mode: UdpMode, o: FuzzOptions, signal: AbortSignal): Promise<FuzzReport> {
  await using bed = await wire(mode, FUZZ_SERVICES, { packets: { nsid: "fuzz" } });
  const report = emptyReport();
  const source = new PacketSource(o.seed);
  let progress = 0;
  const until = performance.now() + (o.spanMs ?? Infinity);
  while (report.packets < o.packets && !signal.aborted && performance.now() < until) {
    const tcp = source.below(4) === 0;
    const packets = nextWindow(source, tcp);
    const before = performance.now();
    const replies = await bed.all(
      packets.map(({ octets }) => octets),
      tcp,
    );
    const took = performance.now() - before;
    report.longestMs = Math.max(report.longestMs, took);
    report.slowestMs = Math.max(report.slowestMs, took / packets.length);
    judge(report, source, packets, replies, tcp, o);
    if (report.packets - progress < 200_000) continue;
    progress = report.packets;
    o.onProgress?.(report);
  }
  const { faults, restarts } = bed.responder.stats();
  if (faults + restarts > 0) throw new Error(`the responder had ${faults} faults and ${restarts} restarts`);
  return report;
}

interface Packet {
  readonly octets: Uint8Array;
  readonly kind: string;
}

/** Each packet of a window has an id of its own, by which its reply is known. TCP closes at messages without a header. */
function nextWindow(source: PacketSource, tcp: boolean): readonly Packet[] {
  const packets: Packet[] = [];
  for (let id = 0; id < WINDOW; id++) {
    source.next();
    const octets = source.octets.slice(0, tcp ? Math.max(12, source.length) : source.length);
    if (octets.length > 1) octets.set([0x77, id]);
    packets.push({ octets, kind: source.kind });
  }
  return packets;
}

function judge(
  report: FuzzReport,
  source: PacketSource,
  packets: readonly Packet[],
  replies: readonly Uint8Array[],
  tcp: boolean,
  o: FuzzOptions,
): void {
  const byId = new Map(replies.map((reply) => [reply[1] ?? -1, reply]));
  if (byId.size !== replies.length) throw new Error("two replies to one packet");
  for (const [id, { octets, kind }] of packets.entries()) {
    const reply = byId.get(id) ?? new Uint8Array(0);
    const fault = faultOf(octets, reply, tcp);
    if (fault !== undefined) fail(o.seed, kind, octets, fault, reply);
    note(report, kind, reply);
    source.learn(reply);
    if (reply.length === 0 || report.replies % o.secondEvery !== 0) continue;
    const second = secondFault(reply);
    if (second !== undefined) fail(o.seed, kind, octets, second, reply);
    report.readBySecond++;
  }
}
