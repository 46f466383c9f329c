import { createResponder, type UdpMode } from "#dns";
import { silentLog, systemClock, Troubles } from "#life";
import { expect, parseIp } from "#values";
import { askAll } from "./ask-all.ts";
import { judge } from "./judge.ts";
import { Oracle } from "./oracle.ts";
import { Random } from "./random.ts";
import { type Query, randomQuery } from "./random-query.ts";
import { randomServices } from "./random-zone.ts";

const ORIGIN = "clusterset.local";
const TTL = 5;
const HOST = expect(parseIp("127.0.0.1"));

/** Differences is what a run found: nothing, in the end. */
export interface Differences {
  readonly queries: number;
  readonly names: number;
  /** Replies by response code: that none of them is missing shows that the queries are worth asking. */
  readonly rcodes: Readonly<Record<string, number>>;
  readonly cut: number;
  readonly positive: number;
  /** The first of them, in words. */
  readonly wrong: readonly string[];
}

export interface DifferentialAsk {
  readonly seed: number;
  readonly services: number;
  readonly queries: number;
  readonly mode: UdpMode;
}

/** makeZone is a zone and the queries for it; equal seeds make equal ones. */
export function makeZone({ seed, services, queries }: Omit<DifferentialAsk, "mode">) {
  const random = new Random(seed);
  const zone = randomServices(random, services);
  const oracle = new Oracle(ORIGIN, TTL, [HOST], zone);
  const names = [...oracle.names.keys()];
  const asked = Array.from({ length: queries }, () => randomQuery(random, oracle, names)).filter(fitsName);
  return { zone, oracle, asked };
}

/** differences asks a responder over UDP and holds every reply against the oracle. */
export async function differences(ask: DifferentialAsk): Promise<Differences> {
  const { zone, oracle, asked } = makeZone(ask);
  const stop = new AbortController();
  const responder = createResponder({
    listen: [{ host: HOST, port: 0 }],
    zone: { origin: ORIGIN, ttl: TTL, serverAddresses: [HOST] },
    ...{ mode: ask.mode, log: silentLog, clock: systemClock, troubles: new Troubles() },
  });
  const running = responder.run(stop.signal);
  const [at] = expect(await responder.started);
  responder.update(zone.map((service) => ({ kind: "service", service }) as const));
  responder.update([{ kind: "synced", synced: true }]);
  await responder.applied();
  try {
    return { ...(await compare(at?.port ?? 0, oracle, asked)), names: oracle.names.size };
  } finally {
    stop.abort();
    await running;
  }
}

async function compare(port: number, oracle: Oracle, asked: readonly Query[]): Promise<Omit<Differences, "names">> {
  const wrong: string[] = [];
  const rcodes: Record<string, number> = {};
  let cut = 0;
  let positive = 0;
  await askAll(port, asked, (n, reply) => {
    const query = asked[n] as Query;
    rcodes[reply.rcode] = (rcodes[reply.rcode] ?? 0) + 1;
    if (reply.truncated) cut += 1;
    if (reply.answers.length > 0) positive += 1;
    const fault = judge(oracle, query, reply);
    if (fault !== undefined && wrong.length < 20) wrong.push(`${query.labels.join(".")} ${query.type}: ${fault}`);
  });
  return { queries: asked.length, rcodes, cut, positive, wrong };
}

/** Text cannot tell a label that holds a dot from two: such a query, and one that no message can hold, is not asked. */
function fitsName({ labels }: Query): boolean {
  const octets = labels.reduce((sum, label) => sum + label.length + 1, 1);
  return octets <= 255 && labels.every((label) => label.length > 0 && label.length <= 63 && !label.includes("."));
}
