import type { Exchange } from "#sync";
import type { ClusterId } from "#values";
import { compareOrder, type Envelope, MAX_PROOFS, type Mark, parseKey } from "#wire";
import type { Cache } from "./cache.ts";
import type { Follower } from "./follower.ts";

/** createExchange compares our chronicle with the broker's, and gives it what it has lost: the cache has every record
 *  as it was signed, whoever's it is. Our own head is left out, since our speaker says it under a granted epoch. */
export function createExchange(own: ClusterId, follower: Follower, cache: Pick<Cache, "record" | "under">): Exchange {
  return {
    marks: ({ digest, head }) => {
      const { chronicle } = follower.catalogue;
      if (digest === chronicle.root()) return null;
      const mine = follower.catalogue.members.get(own)?.head ?? null;
      const same = head !== null && mine !== null && compareOrder(head.order, mine.order) === 0;
      return marksOf(chronicle, same ? null : `head/${own}`);
    },
    *records(keys) {
      for (const text of keys) {
        const record = cache.record(text);
        const key = parseKey(text);
        if (record === undefined || !key.ok) continue;
        yield record;
        if (key.value.kind === "head") yield* cache.under(key.value.cluster);
      }
    },
  };
}

function* marksOf(chronicle: Follower["catalogue"]["chronicle"], without: string | null): Generator<Mark> {
  for (const key of chronicle.keys()) {
    const held = key === without ? undefined : chronicle.get(key);
    if (held !== undefined) yield { key, order: held.order, digest: held.digest };
  }
}

/** membershipRecords are what made us a member and what ended our last memberships before, for a broker that may have
 *  lost them. */
export function membershipRecords(own: ClusterId, cache: Pick<Cache, "record">): readonly Envelope[] {
  const member = cache.record(`member/${own}`);
  const generation = member?.order.seq ?? 0;
  const before = Array.from({ length: Math.min(generation - 1, MAX_PROOFS - 1) }, (_, at) => generation - 1 - at);
  const ends = before.map((n) => cache.record(`leave/${own}/${n}`) ?? cache.record(`eviction/${own}/${n}`));
  return [member, ...ends].filter((record) => record !== undefined);
}
