import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createIdentityKey } from "#identity";
import { silentLog, Troubles } from "#life";
import type { Cidr, ClusterId, Namespace, Revision, ServiceName, Uid } from "#values";
import {
  type Batch,
  type Candidate,
  Catalogue,
  compareOrder,
  digestOf,
  type Envelope,
  examine,
  type GrantEntry,
  identityKeyObject,
  identityKeyOf,
  isSealedBy,
  type Member,
  seal,
  Tally,
} from "#wire";
import { openCache } from "../../src/gateway/cache.ts";
import { Follower } from "../../src/gateway/follower.ts";
import { Signer, slice } from "./signer.ts";

/** Whatever arrives, in whatever order, duplicated, dropped, cut, mixed with lies: what is believed is owned, signed
 *  and newest. The catalogue and the follower are the real ones; the records are made as real members and liars do. */

const allocationKey = createIdentityKey();
const verifier = identityKeyObject(identityKeyOf(allocationKey));
const STORE = "00000000-0000-4000-8000-0000000000aa" as Uid;
const NAMES = ["amber", "birch", "cedar"] as const;
const bounds = { supernets: ["242.0.0.0/8" as Cidr], services: ["242.192.0.0/10" as Cidr] };

/** World is everything that was ever said, by those who may and by those who may not. */
class World {
  readonly members = NAMES.map((name, n) => placed(new Signer(name), n + 1));
  readonly liars = NAMES.map((name, n) => placed(new Signer(name, undefined, this.members[n]?.uid), n + 1));
  readonly log: Envelope[] = [];
  #grants = 0;

  grant(...entries: readonly GrantEntry[]): Envelope {
    this.#grants += 1;
    return seal(
      allocationKey,
      `grant/${this.#grants}`,
      { epoch: 1, seq: this.#grants },
      { number: this.#grants, entries },
    );
  }

  member(of: Signer, epoch = 1): Envelope {
    const body = { ...of.who, key: of.key, joinedAt: 1 };
    return seal(allocationKey, `member/${of.cluster}`, { epoch, seq: of.generation }, body);
  }

  /** do appends what one act says; acts are drawn at random. */
  do({ act, who, other, n }: Act): void {
    const [me, victim] = [this.members[who] as Signer, this.members[other] as Signer];
    const liar = this.liars[who] as Signer;
    const name = `s${n % 4}`;
    switch (act) {
      case "export":
        return void this.log.push(...me.says({ [name]: { slices: [slice([me.address(n)])] } }).put);
      case "withdraw":
        return void this.log.push(...me.says({ [name]: null }).put);
      case "gateway":
        return void this.log.push(me.gateway({ version: `${n}` }, { epoch: 1, seq: n + 1 }));
      case "service":
        return void this.log.push(this.grant(service(name, `242.192.0.${1 + (n % 3)}`)));
      case "forge":
        return void this.log.push(
          ...liar.says({ [name]: {} }, { epoch: 50, seq: n }).put,
          liar.gateway({}, { epoch: 50, seq: n }),
        );
      case "swap":
        return void this.log.push(this.member(liar, 2 + n));
      case "steal":
        return void this.log.push(this.grant({ ...(victim.grants()[n % 2] as GrantEntry), ...me.who } as GrantEntry));
      case "outside":
        return void this.log.push(
          this.grant({
            kind: "pods",
            ...me.who,
            local: "10.0.0.0/8" as Cidr,
            prefix: OUTSIDE[n % OUTSIDE.length] as Cidr,
          }),
        );
      case "foreign": {
        const said = me.says({ [name]: { slices: [slice([victim.address(n)])] } });
        return void this.log.push(...said.put);
      }
      case "twice":
        return void this.log.push(
          seal(
            me.privateKey,
            `gateway/${me.cluster}/gw`,
            { epoch: 1, seq: n },
            { ...JSON.parse(me.gateway().body), version: "other" },
          ),
        );
      case "evict":
        return void this.log.push(
          seal(allocationKey, `eviction/${me.cluster}`, { epoch: 1, seq: me.generation }, { ...me.who, evictedAt: 1 }),
        );
    }
  }
}

const OUTSIDE = ["0.0.0.0/0", "127.0.0.0/8", "169.254.0.0/16", "10.0.0.0/8", "242.192.0.0/16", "242.0.0.0/7"];
const ACTS = [
  "export",
  "withdraw",
  "gateway",
  "service",
  "forge",
  "swap",
  "steal",
  "outside",
  "foreign",
  "twice",
] as const;
type Act = {
  readonly act: (typeof ACTS)[number] | "evict";
  readonly who: number;
  readonly other: number;
  readonly n: number;
};

const act: fc.Arbitrary<Act> = fc.record({
  act: fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...ACTS) },
    { weight: 1, arbitrary: fc.constant("evict" as const) },
  ),
  who: fc.nat(2),
  other: fc.nat(2),
  n: fc.integer({ min: 1, max: 9 }),
});
/** Chunk is a part of what was said, from some place in the log, as it may arrive: some of it lost, some changed. */
const chunk = fc.record({
  from: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 1, max: 12 }),
  lost: fc.array(fc.nat(11), { maxLength: 3 }),
  altered: fc.option(fc.nat(11)),
  shuffled: fc.boolean(),
  snapshot: fc.boolean(),
  removes: fc.array(fc.constantFrom("export/birch/shop/s1", "head/amber", "member/cedar", "grant/1"), { maxLength: 2 }),
});

function placed(signer: Signer, n: number): Signer {
  signer.place = { pods: `242.${n}.0.0/16` as Cidr, nodes: `242.0.${n}.0/24` as Cidr };
  return signer;
}

function service(name: string, address: string): GrantEntry {
  return { kind: "service", namespace: "shop" as Namespace, name: name as ServiceName, address } as GrantEntry;
}

/** arrives makes of a chunk what comes over the wire. */
function arrives(log: readonly Envelope[], { from, length, lost, altered, shuffled }: ChunkOf): Envelope[] {
  const start = Math.floor(from * log.length);
  const part = log.slice(start, start + length).filter((_, i) => !lost.includes(i));
  const lied = part.map((envelope, i) =>
    i === altered ? { ...envelope, body: envelope.body.replace("1", "2") } : envelope,
  );
  return shuffled ? lied.toReversed() : lied;
}
type ChunkOf = typeof chunk extends fc.Arbitrary<infer T> ? T : never;

/** wrongIn lists whatever is believed and must not be. */
function wrongIn(catalogue: Catalogue, world: World): readonly string[] {
  const faults: string[] = [];
  for (const member of catalogue.members.values()) {
    const signer = world.members.find(({ cluster }) => cluster === member.cluster) as Signer;
    if (member.body.key !== signer.key) faults.push(`${member.cluster} has another key`);
    if (member.head !== null && !isSealedBy(identityKeyObject(signer.key), member.head.envelope))
      faults.push(`${member.cluster}'s head is not signed by it`);
    faults.push(...wrongUnderHead(member, catalogue));
  }
  const prefixes = [...catalogue.ledger.holdings()].flatMap(({ cluster, pods, nodes }) =>
    [...pods.map(({ prefix }) => prefix), ...nodes].map((prefix) => `${prefix} ${cluster}`),
  );
  const taken = prefixes.map((line) => line.split(" ")[0]);
  if (new Set(taken).size < taken.length) faults.push(`one prefix twice: ${prefixes}`);
  for (const line of prefixes) if (!/^242\.(0\.)?[1-3]\./.test(line)) faults.push(`outside: ${line}`);
  for (const address of catalogue.ledger.services().values())
    if (!address.startsWith("242.192.")) faults.push(`service at ${address}`);
  return faults;
}

/** What is held under a head adds up to it, and leads to its member's own addresses. */
function wrongUnderHead({ cluster, head, exports, tally }: Member, { ledger }: Catalogue): readonly string[] {
  const faults: string[] = [];
  const sum = head?.body ?? { count: 0, root: new Tally().root() };
  if (tally.count !== sum.count || tally.root() !== sum.root) faults.push(`${cluster} does not add up to its head`);
  if (exports.size !== tally.count)
    faults.push(`${cluster} has ${exports.size} exports, its head counts ${tally.count}`);
  for (const [name, { slices }] of exports) {
    const foreign = slices.flatMap(({ endpoints }) => endpoints).find(({ address }) => !ledger.owns(cluster, address));
    if (foreign !== undefined) faults.push(`${cluster} ${name} leads to ${foreign.address}`);
  }
  return faults;
}

/** marks is how far every record and every member has come: it must only grow. */
function marks(catalogue: Catalogue, keys: readonly string[]): ReadonlyMap<string, { epoch: number; seq: number }> {
  const orders = keys.map((key) => [key, catalogue.orderOf(key)] as const);
  return new Map(orders.filter((pair): pair is [string, { epoch: number; seq: number }] => pair[1] !== undefined));
}

describe("what arrives in any order, twice, not at all, altered or made up", () => {
  const runs = { numRuns: 150 };

  test("a catalogue believes only what is owned, signed and newest, after every single batch", () => {
    const property = fc.property(
      fc.array(act, { maxLength: 30 }),
      fc.array(chunk, { maxLength: 25 }),
      (acts, chunks) => {
        const world = begun(acts);
        const catalogue = new Catalogue();
        catalogue.bounds = bounds;
        const keys = [...new Set(world.log.map(({ key }) => key))];
        catalogue.apply(candidates(joined(world)));
        let before = marks(catalogue, keys);
        const gone = new Set<ClusterId>();
        for (const part of chunks) {
          catalogue.apply(candidates(arrives(world.log, part)), part.removes, part.snapshot);
          expect(wrongIn(catalogue, world)).toEqual([]);
          const after = marks(catalogue, keys);
          for (const [key, order] of before) {
            const now = after.get(key);
            if (now !== undefined) expect(compareOrder(now, order)).toBeGreaterThanOrEqual(0);
          }
          for (const cluster of gone) expect(catalogue.live().map((member) => member.cluster)).not.toContain(cluster);
          for (const member of catalogue.members.values()) if (member.gone !== null) gone.add(member.cluster);
          before = after;
        }
      },
    );
    fc.assert(property, runs);
  });

  test("a follower believes the same, on its disk too, and in the end what an honest broker says", async () => {
    const property = fc.asyncProperty(
      fc.array(act, { maxLength: 20 }),
      fc.array(chunk, { maxLength: 12 }),
      (acts, chunks) => followed(begun(acts), chunks),
    );
    await fc.assert(property, { numRuns: 40 });
  });
});

/** joined is who is who, which was heard first: a key is pinned when it is first seen, and only then can it be
 *  swapped. */
const joined = (world: World): readonly Envelope[] => world.log.slice(0, NAMES.length * 2);

function candidates(envelopes: readonly Envelope[]): readonly Candidate[] {
  return envelopes.flatMap((envelope) => {
    const found = examine(envelope, verifier);
    return found.ok ? [found.value] : [];
  });
}

/** begun is a world whose members have joined, and in which some things have happened. */
function begun(acts: readonly Act[]): World {
  const world = new World();
  for (const member of world.members) world.log.push(world.grant(...member.grants()), world.member(member));
  for (const one of acts) world.do(one);
  return world;
}

async function followed(world: World, chunks: readonly ChunkOf[]): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "meridian-believed-"));
  const start = async () => {
    const cache = openCache(dir);
    if (!cache.ok) throw new Error(cache.error);
    const own = "yew" as ClusterId;
    const follower = new Follower({
      own,
      cache: cache.value,
      verifier: () => verifier,
      log: silentLog,
      troubles: new Troubles(),
    });
    follower.catalogue.bounds = bounds;
    await follower.load();
    follower.welcomed(STORE);
    return { follower, cache: cache.value };
  };
  let run = await start();
  let revision = 1;
  const batch = (put: Envelope[], change: Partial<Batch>): Batch => {
    revision += 1;
    return { put, remove: [], snapshot: false, more: false, revision: revision as Revision, ...change };
  };
  try {
    await run.follower.batch(batch([...joined(world)], {}));
    for (const [i, part] of chunks.entries()) {
      const put = arrives(world.log, part);
      // A frame of a batch whose rest never comes: the session is cut in the middle.
      if (i % 5 === 4) await run.follower.batch(batch(put, { more: true })).then(() => run.follower.welcomed(STORE));
      else await run.follower.batch(batch(put, { remove: part.removes, snapshot: part.snapshot }));
      expect(wrongIn(run.follower.catalogue, world)).toEqual([]);
      if (i % 4 === 3) {
        const believed = stateOf(run.follower.catalogue);
        run.cache.close();
        run = await start();
        expect(stateOf(run.follower.catalogue)).toEqual(believed);
      }
    }
    await convergent(run.follower, world, batch);
  } finally {
    run.cache.close();
    rmSync(dir, { recursive: true });
  }
}

/** Whatever was heard before, a member that says a thing anew is believed by its newest word. */
async function convergent(follower: Follower, world: World, batch: (put: Envelope[], c: Partial<Batch>) => Batch) {
  for (const member of world.members) {
    for (const key of [...member.tally.keys()]) member.tally.remove(key);
    member.epoch = 1000;
    const fresh = member.says({ last: {} });
    await follower.batch(batch([...fresh.put], { snapshot: true }));
    const known = follower.catalogue.members.get(member.cluster);
    if (known === undefined || known.gone !== null) continue;
    expect([...known.exports.keys()]).toEqual(["shop/last"]);
  }
  expect(wrongIn(follower.catalogue, world)).toEqual([]);
}

/** stateOf is what is believed, as a set. */
function stateOf(catalogue: Catalogue): readonly string[] {
  return [...catalogue.members.values()]
    .flatMap(({ cluster, gone, head, exports, gateways }) => [
      `${cluster} ${gone}`,
      ...(head === null ? [] : [digestOf(head.envelope)]),
      ...[...exports.keys()].map((key) => `${cluster} ${key}`),
      ...[...gateways].map(([name, { order }]) => `${cluster} ${name} ${order.epoch}.${order.seq}`),
    ])
    .concat([...catalogue.ledger.services()].map(([key, address]) => `${key} ${address}`))
    .concat([...catalogue.ledger.holdings()].map((holding) => JSON.stringify(holding)))
    .sort();
}
