import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { headless, pods, virtual } from "./example-services.ts";
import type { ZoneService } from "./zone.ts";
import { ZoneFeed } from "./zone-feed.ts";

function namesOf(services: string): readonly string[] {
  return (JSON.parse(services) as readonly ZoneService[]).map(({ name }) => name);
}

const service = (name: string) => ({ kind: "service", service: virtual({ name }) }) as const;
const SYNCED = { kind: "synced", synced: true } as const;

describe("take()", () => {
  test("is nothing when nothing waits", () => {
    const feed = new ZoneFeed();
    expect(feed.take(1, 1)).toBeUndefined();
    feed.note([service("a")]);
    expect(feed.take(1, 7)?.batch).toMatchObject({ kind: "batch", sequence: 1, serial: 7, removed: [] });
    expect(feed.take(2, 7)).toBeUndefined();
  });

  test("many changes of one service are one, and the last", () => {
    const feed = new ZoneFeed();
    for (let i = 0; i < 100; i++) feed.note([service("a")]);
    feed.note([{ kind: "remove", namespace: "shop", name: "a" }]);
    const taken = feed.take(1, 1);
    expect(taken).toMatchObject({ upTo: 101, batch: { services: "[]", removed: [{ namespace: "shop", name: "a" }] } });
  });

  test("a batch is bounded, and tells how far it goes", () => {
    const feed = new ZoneFeed();
    feed.note([...Array(250).keys()].map((i) => service(`a${i}`)));
    feed.note([service("b")]);
    const first = feed.take(1, 1);
    const names = namesOf(first?.batch.services ?? "");
    expect(names.length).toBeGreaterThan(150);
    expect(names.length).toBeLessThan(250);
    expect(first?.upTo).toBe(0);
    const second = feed.take(2, 1);
    expect([...names, ...namesOf(second?.batch.services ?? "")]).toHaveLength(251);
    expect(second?.upTo).toBe(2);
  });

  test("endpoints weigh as services do", () => {
    const feed = new ZoneFeed();
    feed.note([0, 1, 2].map((i) => ({ kind: "service", service: headless(pods(150), { name: `h${i}` }) })));
    expect(namesOf(feed.take(1, 1)?.batch.services ?? "")).toEqual(["h0", "h1"]);
  });

  test("synced and namespaces go behind what was noted before them, not behind what came later", () => {
    const feed = new ZoneFeed();
    feed.note([...Array(300).keys()].map((i) => service(`a${i}`)));
    feed.note([SYNCED, { kind: "namespaces", names: ["x"] }]);
    feed.note([...Array(300).keys()].map((i) => service(`b${i}`)));
    expect(feed.take(1, 1)?.batch.synced).toBeUndefined();
    const second = feed.take(2, 1);
    expect(second).toMatchObject({ upTo: 2, batch: { synced: true, namespaces: ["x"] } });
    const third = feed.take(3, 1);
    expect(third?.batch.synced).toBeUndefined();
    expect(third?.upTo).toBe(3);
  });
});

describe("again()", () => {
  test("gives everything once more, what was removed left out", () => {
    const feed = new ZoneFeed();
    feed.note([service("a"), service("b"), SYNCED]);
    feed.take(1, 1);
    feed.note([{ kind: "remove", namespace: "shop", name: "a" }]);
    feed.again();
    const taken = feed.take(2, 1);
    expect(namesOf(taken?.batch.services ?? "")).toEqual(["b"]);
    expect(taken).toMatchObject({ upTo: feed.revision, batch: { synced: true, removed: [] } });
  });
});

test("whatever is noted and taken in whatever order, the taker ends with what was noted", () => {
  const step = fc.record({ name: fc.nat(300), kind: fc.constantFrom("service", "remove", "take") });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const feed = new ZoneFeed();
      const want = new Set<string>();
      const have = new Set<string>();
      let upTo = 0;
      const take = (): boolean => {
        const taken = feed.take(1, 1);
        for (const name of namesOf(taken?.batch.services ?? "[]")) have.add(name);
        for (const { name } of taken?.batch.removed ?? []) have.delete(name);
        expect(taken?.upTo ?? upTo).toBeGreaterThanOrEqual(upTo);
        upTo = taken?.upTo ?? upTo;
        return taken !== undefined;
      };
      for (const { name, kind } of steps) {
        const id = `s${name}`;
        if (kind === "take") take();
        else if (kind === "service") {
          feed.note([service(id)]);
          want.add(id);
        } else {
          feed.note([{ kind: "remove", namespace: "shop", name: id }]);
          want.delete(id);
        }
      }
      while (take());
      expect([...have].toSorted()).toEqual([...want].toSorted());
      expect(upTo).toBe(feed.revision);
    }),
    { numRuns: 100 },
  );
});
