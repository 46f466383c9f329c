import fc from "fast-check";
import { expect, test } from "vitest";
import { type Cidr, cidrParts, covers, type Ip, type Millis, overlaps } from "#values";
import type { Allocation } from "./allocation.ts";
import type { Ipam } from "./ipam.ts";
import { poolsOf } from "./pools.ts";
import { cluster, ipamOf, later, net, service, uid } from "./testbed.ts";

/** Small, so that members meet: 191 slots of /24, blocks of /30 for nodes, and quarantines that end. */
const SUPERNET = net("10.9.0.0/16");
const POOLS = poolsOf(SUPERNET);
const QUARANTINE = 1000;
const LOCALS = ["172.20.0.0/18", "172.20.0.0/20", "172.20.0.0/24", "172.21.0.0/24", "172.20.0.0/28"];
const WANTED = ["10.9.1.0/24", "10.9.16.0/20", "10.9.16.0/24", "10.9.64.0/18", "10.9.0.0/24", "10.9.200.0/24"];
const member = fc.integer({ min: 1, max: 5 });

/** A step proposes something and, most times, applies it: a proposal that is dropped must leave no trace. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant("pods" as const),
    n: member,
    local: fc.constantFrom(...LOCALS),
    wanted: fc.option(fc.constantFrom(...WANTED), { nil: undefined, freq: 2 }),
    applied: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("nodes" as const), n: member, more: fc.boolean() }),
  fc.record({ kind: fc.constant("services" as const), n: member, names: fc.array(fc.integer({ min: 0, max: 12 })) }),
  fc.record({ kind: fc.constant("reserve" as const), prefix: fc.constantFrom(...WANTED) }),
  fc.record({ kind: fc.constant("releaseMember" as const), n: member }),
  fc.record({ kind: fc.constant("releaseService" as const), name: fc.integer({ min: 0, max: 12 }) }),
  fc.record({ kind: fc.constant("releasePrefix" as const), at: fc.nat(50) }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: QUARANTINE }) }),
  fc.record({ kind: fc.constant("restart" as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** World is an allocator and what an outsider remembers about it: who held what last, and since when it rests. */
class World {
  ipam: Ipam = fresh();
  now: Millis = later(0);
  readonly #held = new Map<Cidr, Allocation>();

  take(next: Step): void {
    switch (next.kind) {
      case "wait":
        this.now = (this.now + next.ms) as Millis;
        return this.#expire();
      case "restart":
        return this.#restart();
      case "pods":
        return this.#pods(next);
      case "nodes":
        return this.#write(
          this.ipam.proposeNodes({ cluster: cluster(next.n), uid: uid(next.n), family: 4, more: next.more }, this.now),
        );
      case "services":
        return this.#services(next);
      case "reserve":
        return this.#write(this.ipam.proposeReserve({ prefix: net(next.prefix), note: "kept" }, this.now));
      default:
        return this.#write({ ok: true, value: this.#released(next) });
    }
  }

  check(): void {
    const all = this.ipam.list();
    expect(all).toEqual([...this.#held.values()].sort(byBase));
    for (const [i, a] of all.entries()) {
      const next = all[i + 1];
      if (next !== undefined) expect(overlaps(a.prefix, next.prefix), `${a.prefix} ${next.prefix}`).toBe(false);
      expect(inPool(a), `${a.kind} ${a.prefix}`).toBe(true);
      expect(this.ipam.whois(a.prefix.split("/")[0] as Ip)).toBe(a);
    }
  }

  #pods({ n, local, wanted, applied }: Extract<Step, { kind: "pods" }>): void {
    const ask = { cluster: cluster(n), uid: uid(n), local: net(local) };
    const before = [...this.#held.values()].filter((a) => a.uid === uid(n) && a.local === local);
    const got = this.ipam.proposePods(wanted === undefined ? ask : { ...ask, wanted: net(wanted) }, this.now);
    if (got.ok && wanted === undefined && before.length > 0) {
      expect(before.map((a) => a.prefix)).toContain(got.value[0]?.prefix);
      const live = before.find((a) => a.state === "live");
      if (live !== undefined) expect(got.value).toEqual([live]);
    }
    if (got.ok) expect(got.value.at(-1)).toMatchObject({ state: "live", local, uid: uid(n) });
    if (!got.ok && got.error.code === "overlap") this.#reallyOverlaps(net(wanted ?? ""), got.error.owner);
    if (applied) this.#write(got);
  }

  #reallyOverlaps(wanted: Cidr, owner: Allocation | null): void {
    expect(owner).not.toBeNull();
    if (owner !== null) expect(overlaps(owner.prefix, wanted)).toBe(true);
  }

  #services({ n, names }: Extract<Step, { kind: "services" }>): void {
    const asks = names.map((name) => service(n, `s${name}`));
    const got = this.ipam.proposeServices(asks, this.now);
    for (const [i, result] of got.entries()) {
      const known = [...this.#held.values()].find((a) => a.kind === "service" && a.name === asks[i]?.name);
      if (!result.ok) expect(result.error.code).toBe("quota");
      else
        expect([result.value.name, known?.prefix ?? result.value.prefix]).toEqual([asks[i]?.name, result.value.prefix]);
      this.#write(result.ok ? { ok: true, value: [result.value] } : result);
    }
  }

  #released(
    next: Extract<Step, { kind: "releaseMember" | "releaseService" | "releasePrefix" }>,
  ): readonly Allocation[] {
    if (next.kind === "releaseMember") return this.ipam.proposeRelease({ uid: uid(next.n) }, this.now);
    if (next.kind === "releaseService") return this.ipam.proposeRelease(service(0, `s${next.name}`), this.now);
    const some = this.ipam.list()[next.at];
    return some === undefined ? [] : this.ipam.proposeRelease({ prefix: some.prefix }, this.now);
  }

  /** #write is the caller's part; here the outsider looks for prefixes that change hands. */
  #write(result: { readonly ok: true; readonly value: readonly Allocation[] } | { readonly ok: false }): void {
    if (!result.ok) return;
    for (const a of result.value) {
      const last = this.#held.get(a.prefix);
      if (last !== undefined) expect([a.kind, a.uid, a.name]).toEqual([last.kind, last.uid, last.name]);
      this.#held.set(a.prefix, a);
    }
    this.ipam.apply(result.value);
  }

  #expire(): void {
    const over = this.ipam.expired(this.now);
    const due = [...this.#held.values()].filter((a) => a.state === "quarantine" && a.since + QUARANTINE <= this.now);
    expect(new Set(over)).toEqual(new Set(due));
    for (const a of over) this.#held.delete(a.prefix);
    this.ipam.forget(over);
  }

  #restart(): void {
    const next = fresh();
    next.load(this.ipam.list());
    this.ipam = next;
  }
}

test("whatever is asked, live prefixes are apart, in their pool, sticky, and rest before they change hands", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
      const world = new World();
      for (const next of steps) {
        world.take(next);
        world.check();
      }
    }),
    { numRuns: 300 },
  );
});

function fresh(): Ipam {
  return ipamOf({ supernets: [SUPERNET], quarantineMs: QUARANTINE as Millis, servicesPerCluster: 8 });
}

function inPool({ kind, prefix }: Allocation): boolean {
  if (kind === "reserved") return covers(SUPERNET, prefix);
  if (kind === "nodes") return covers(POOLS.nodes, prefix);
  if (kind === "service") return covers(POOLS.services, prefix);
  return POOLS.pods.some((pool) => covers(pool, prefix));
}

function byBase(a: Allocation, b: Allocation): number {
  return cidrParts(a.prefix).base < cidrParts(b.prefix).base ? -1 : 1;
}
