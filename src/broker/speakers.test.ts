import { beforeEach, describe, expect, test } from "vitest";
import { type ClusterId, expect as must, type NodeName } from "#values";
import type { Book } from "./book.ts";
import { Speakers } from "./speakers.ts";
import { memoryBook, SimClock, TestBroker } from "./testbed.ts";
import { member, sibling } from "./testbed-gateway.ts";

const amber = "amber" as ClusterId;
const [one, two] = ["one" as NodeName, "two" as NodeName];
const nobody = (): boolean => false;

describe("Speakers", () => {
  let clock: SimClock;
  let book: Book;
  let speakers: Speakers;
  beforeEach(() => {
    clock = new SimClock();
    book = memoryBook(clock);
    speakers = new Speakers(book, clock);
  });

  test("grant the first epoch to the first that asks, and a new one at each of its starts", () => {
    expect(must(code(speakers.claim(amber, one, nobody)))).toBe(1);
    expect(must(code(speakers.claim(amber, one, nobody)))).toBe(2);
    expect([speakers.holds(amber, one), speakers.holds(amber, two)]).toEqual([2, null]);
  });

  test("have it on the disk before they tell it", () => {
    speakers.claim(amber, one, nobody);
    expect(book.store.speakers()).toEqual([{ cluster: amber, epoch: 1, gateway: one }]);
    expect(new Speakers(book, clock).holds(amber, one)).toBe(1);
  });

  test("refuse another gateway while the speaker is connected", () => {
    speakers.claim(amber, one, nobody);
    expect(code(speakers.claim(amber, two, (name) => name === one))).toMatchObject({ error: "taken" });
  });

  test("hand over 5 s after the speaker's session ended, not before", () => {
    speakers.claim(amber, one, nobody);
    speakers.disconnected(amber, one);
    clock.advance(4999);
    expect(code(speakers.claim(amber, two, nobody))).toMatchObject({ error: "wait" });
    clock.advance(1);
    expect(must(code(speakers.claim(amber, two, nobody)))).toBe(2);
    expect(speakers.holds(amber, one)).toBeNull();
  });

  test("begin the wait anew when the speaker was back in between", () => {
    speakers.claim(amber, one, nobody);
    speakers.disconnected(amber, one);
    clock.advance(4000);
    speakers.connected(amber, one);
    speakers.disconnected(amber, one);
    clock.advance(4000);
    expect(code(speakers.claim(amber, two, nobody))).toMatchObject({ error: "wait" });
  });

  test("after a restart, which saw nobody go, wait from the first that asks", () => {
    speakers.claim(amber, one, nobody);
    const restarted = new Speakers(book, clock);
    clock.advance(60_000);
    expect(code(restarted.claim(amber, two, nobody))).toMatchObject({ error: "wait" });
    clock.advance(5000);
    expect(must(code(restarted.claim(amber, two, nobody)))).toBe(2);
  });

  test("hand over at once when the epoch was given back, and never grant a number twice", () => {
    speakers.claim(amber, one, nobody);
    expect(speakers.release(amber, two)).toMatchObject({ ok: true }); // not its to give
    expect(speakers.holds(amber, one)).toBe(1);
    speakers.release(amber, one);
    expect(speakers.holds(amber, one)).toBeNull();
    expect(must(code(speakers.claim(amber, two, nobody)))).toBe(2);
  });

  test("grant nothing that the disk did not take", () => {
    const broken = memoryBook(clock);
    broken.store.failWith({ code: "disk-full", message: "no space" });
    const grants = new Speakers(broken, clock);
    expect(code(grants.claim(amber, one, nobody))).toMatchObject({ error: "unavailable" });
    expect(grants.holds(amber, one)).toBeNull();
  });
});

test("of two gateways one speaks; the other takes over, and the first is refused from then on", async () => {
  await using broker = await TestBroker.open();
  await using first = await member(broker, "amber");
  await using second = await sibling(first, "two").live();
  expect(await second.client.claim()).toMatchObject({ error: { code: "taken" } });
  await first.publish(first.says({ web: first.address() }));
  await first.client.yieldEpoch();
  await second.claim();
  expect(second.epoch).toBe(first.epoch + 1);
  expect(await first.publish(first.says({ web: first.address(8) }))).toMatchObject({ error: { code: "not-speaker" } });
  expect(broker.audit().at(-1)).toContain("not-speaker");
});

function code<T>(result: { ok: true; value: T } | { ok: false; error: { code: string } }) {
  return result.ok ? result : { ok: false as const, error: result.error.code };
}
