import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseToken } from "#identity";
import { watchLoopDelay } from "#life";
import { type Cidr, expect, type Uid } from "#values";
import { digestOf, type Envelope, grantBody, parseBody, seal, Tally, unsealed } from "#wire";
import { stampMs } from "../bench/index.ts";
import { type RawBatch, RawMember } from "./raw-member.ts";

/** FanOutAsk is what the members' process is told. */
export interface FanOutAsk {
  readonly url: string;
  readonly caFile: string;
  readonly tokenFile: string;
  readonly members: number;
  readonly perSecond: number;
  readonly seconds: number;
}

/** FannedOut is what the members saw. */
export interface FannedOut {
  readonly changes: number;
  readonly refused: number;
  readonly deliveries: number;
  /** Changes that came after a later one of the same author, or a second time. */
  readonly twice: number;
  /** Changes that a member had not seen when the next one of that author came, or at the end. */
  readonly missed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The longest that a change took, by the second in which it arrived. */
  readonly bySecond: readonly number[];
  /** How late this process itself was at worst: what it adds to the figures. */
  readonly ownDelayMs: number;
  /** From dropping all sessions at once until each had its first state again. */
  readonly reconnectMs: number;
  /** Members whose state differed from the authors' at the end, after the reconnect. */
  readonly differ: number;
}

const EXPORTS = 10;
/** Counted by the millisecond up to here; what is later counts as this. */
const LONGEST_MS = 20_000;

/** Watch is what all members together saw. */
class Watch {
  readonly counts = new Uint32Array(LONGEST_MS + 1);
  deliveries = 0;
  twice = 0;
  missed = 0;

  readonly bySecond: number[] = [];
  #since = stampMs();

  begin(): void {
    this.#since = stampMs();
    this.bySecond.length = 0;
    this.counts.fill(0);
    [this.deliveries, this.twice, this.missed] = [0, 0, 0];
  }

  delivered(ms: number): void {
    const second = Math.floor((stampMs() - this.#since) / 1000);
    this.bySecond[second] = Math.ceil(Math.max(this.bySecond[second] ?? 0, ms));
    const at = Math.min(LONGEST_MS, Math.max(0, Math.ceil(ms)));
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.deliveries += 1;
  }

  percentile(share: number): number {
    let left = this.deliveries * share;
    for (const [ms, count] of this.counts.entries()) {
      left -= count;
      if (left <= 0) return ms;
    }
    return LONGEST_MS;
  }
}

/** Peer is a member that publishes, and checks what it hears of the others. */
class Peer {
  readonly cluster: string;
  readonly member: RawMember;
  readonly heard = new Map<string, number>();
  readonly #watch: Watch;
  readonly #tally = new Tally();
  #prefix = "";
  #epoch = 0;
  seq = 0;

  constructor(ask: FanOutAsk, ca: string, n: number, watch: Watch) {
    this.cluster = `m${n}`;
    this.#watch = watch;
    const [uid, podCidr] = [randomUUID() as Uid, "10.244.0.0/20" as Cidr];
    const onBatch = (batch: RawBatch): void => this.#read(batch);
    this.member = new RawMember({ url: ask.url, ca, cluster: this.cluster, uid, podCidr, onBatch });
  }

  async claim(): Promise<void> {
    this.#epoch = Number((await this.member.ask({ t: "claim" }))?.["epoch"]);
  }

  /** publish signs some exports and a head over all; true when the broker took it. */
  async publish(names: readonly string[]): Promise<boolean> {
    this.seq += 1;
    const order = { epoch: this.#epoch, seq: this.seq };
    const put = names.map((name) => {
      const key = `export/${this.cluster}/shop/${name}`;
      const record = unsealed(key, order, this.#body(name));
      this.#tally.put(key, order, digestOf(record));
      return record;
    });
    const body = { ...this.member.who, count: this.#tally.count, root: this.#tally.root() };
    const head = seal(this.member.privateKey, `head/${this.cluster}`, order, body);
    const answer = await this.member.ask({ t: "publish", put: [...put, head], remove: [] });
    return answer?.t === "ack";
  }

  #body(name: string): object {
    return {
      ...{ namespace: "shop", name, type: "ClusterSetIP", createdAt: 1, sessionAffinity: "None", ipFamilies: ["IPv4"] },
      ports: [{ name: "http", protocol: "TCP", port: 80 }],
      ...{ labels: {}, annotations: { stamp: stampMs().toFixed(3) } },
      slices: [
        {
          ports: [{ name: "http", protocol: "TCP", port: 8080 }],
          endpoints: [{ address: this.#prefix.replace(/0\/20$/, "7") }],
        },
      ],
    };
  }

  #read({ put, snapshot }: RawBatch): void {
    for (const record of put) {
      if (record.key.startsWith("head/")) this.#head(record, snapshot);
      else if (record.key.startsWith("export/") && !snapshot) this.#delivered(record);
      else if (this.#prefix === "" && record.key.startsWith("grant/")) this.#grant(record);
    }
  }

  #head({ key, order }: Envelope, snapshot: boolean): void {
    const author = key.slice(5);
    const before = this.heard.get(author);
    this.heard.set(author, order.seq);
    if (before === undefined || snapshot) return;
    if (order.seq <= before) this.#watch.twice += 1;
    else this.#watch.missed += order.seq - before - 1;
  }

  #delivered({ body }: Envelope): void {
    const at = body.indexOf('"stamp":"');
    if (at !== -1) this.#watch.delivered(stampMs() - Number.parseFloat(body.slice(at + 9, at + 30)));
  }

  #grant({ body }: Envelope): void {
    const parsed = parseBody(grantBody, body);
    for (const entry of parsed.ok ? parsed.value.entries : []) {
      if (entry.kind === "pods" && entry.cluster === this.cluster) this.#prefix = entry.prefix;
    }
  }
}

async function fanOut(ask: FanOutAsk): Promise<FannedOut> {
  const [ca, token] = [
    readFileSync(ask.caFile, "utf8"),
    expect(parseToken(readFileSync(ask.tokenFile, "utf8").trim())),
  ];
  const watch = new Watch();
  const peers = Array.from({ length: ask.members }, (_, n) => new Peer(ask, ca, n, watch));
  for (const peer of peers) {
    const end = await peer.member.connect(token);
    if (end !== "live") throw new Error(`${peer.cluster}: ${end}`);
    await peer.claim();
    await peer.publish(Array.from({ length: EXPORTS }, (_, at) => `s${at}`));
  }
  await settled(peers);
  const loop = watchLoopDelay();
  watch.begin(); // what joining cost is another matter
  const { changes, refused } = await change(peers, ask);
  await settled(peers);
  const reconnectMs = await reconnect(peers);
  const differ = differing(peers);
  const { deliveries, twice, missed, bySecond } = watch;
  const ownDelayMs = Math.ceil(loop.maxSeconds() * 1000);
  const figures = { p50Ms: watch.percentile(0.5), p99Ms: watch.percentile(0.99), maxMs: watch.percentile(1) };
  for (const peer of peers) await peer.member.drop();
  return { changes, refused, deliveries, twice, missed, bySecond, ownDelayMs, ...figures, reconnectMs, differ };
}

/** Changes at an even rate, by one member after the other. */
async function change(
  peers: readonly Peer[],
  { perSecond, seconds }: FanOutAsk,
): Promise<{ changes: number; refused: number }> {
  const start = stampMs();
  let [changes, refused] = [0, 0];
  const under = new Set<Promise<void>>();
  while (stampMs() - start < seconds * 1000) {
    const due = Math.floor(((stampMs() - start) / 1000) * perSecond);
    for (; changes < due; changes += 1) {
      const peer = peers[changes % peers.length] as Peer;
      const name = `s${Math.floor(changes / peers.length) % EXPORTS}`;
      const done: Promise<void> = peer.publish([name]).then((taken) => {
        if (!taken) refused += 1;
        under.delete(done);
      });
      under.add(done);
    }
    await sleep(2);
  }
  await Promise.all(under);
  return { changes, refused };
}

const differing = (peers: readonly Peer[]): number =>
  peers.filter(({ heard }) => peers.some(({ cluster, seq }) => heard.get(cluster) !== seq)).length;

/** Until everybody has heard the last word of each, or for half a minute: what is missing then is missed. */
async function settled(peers: readonly Peer[]): Promise<void> {
  const end = stampMs() + 30_000;
  while (differing(peers) > 0 && stampMs() < end) await sleep(10);
}

async function reconnect(peers: readonly Peer[]): Promise<number> {
  await Promise.all(peers.map(({ member }) => member.drop()));
  const start = stampMs();
  const ends = await Promise.all(peers.map(({ member }) => member.connect(null)));
  if (ends.some((end) => end !== "live")) throw new Error(`not all came back: ${[...new Set(ends)].join(", ")}`);
  return stampMs() - start;
}

// Run as `fan-out-members.ts ASK.json`, beside the broker and not in its process.
if (import.meta.main) {
  const ask = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as FanOutAsk;
  process.stdout.write(`${JSON.stringify(await fanOut(ask))}\n`);
}
