import { describe, expect, test, vi } from "vitest";
import { parseToken } from "#identity";
import { systemClock } from "#life";
import type { Link, Outbox } from "#sync";
import { type ClusterId, type Ip, expect as must, type NodeName, type Revision, type Uid } from "#values";
import type { Envelope, Login } from "#wire";
import { Hub } from "./hub.ts";
import { memoryBook, TestBroker } from "./testbed.ts";
import { exportKey } from "./testbed-export.ts";
import { again, member } from "./testbed-gateway.ts";

describe("a member that comes back", () => {
  test("gets exactly what changed since its cursor, each record once in its newest state", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const basalt = await member(broker, "basalt");
    await amber.publish(amber.says({ kept: amber.address(), gone: amber.address(), changed: amber.address() }));
    await basalt.until(() => basalt.cursor?.revision === broker.broker.desk.revision());
    await basalt[Symbol.asyncDispose]();
    await amber.publish(amber.says({ changed: amber.address(8) }));
    await amber.publish(amber.says({ changed: amber.address(9), gone: null }));
    await using back = await again(basalt).live();
    expect(back.batches).toHaveLength(1);
    const [batch] = back.batches;
    expect(batch).toMatchObject({ snapshot: false, more: false, remove: [exportKey(amber.cluster, "gone")] });
    expect(batch?.put.map(({ key }) => key).sort()).toEqual([exportKey(amber.cluster, "changed"), "head/amber"]);
    const body = back.catalogue.members.get(amber.cluster)?.exports.get("shop/changed");
    expect(body?.slices[0]?.endpoints[0]?.address).toBe(amber.address(9));
  });

  test("gets a snapshot when it was away for too long, and drops what is gone (F33)", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const basalt = await member(broker, "basalt");
    await amber.publish(amber.says({ gone: amber.address() }));
    await basalt.until(() => basalt.cursor?.revision === broker.broker.desk.revision());
    await basalt[Symbol.asyncDispose]();
    await amber.publish(amber.says({ gone: null }));
    for (let at = 0; at < 1200; at += 400) {
      const names = Array.from({ length: 400 }, (_, i) => [`s${at + i}`, amber.address()]);
      await amber.publish(amber.says(Object.fromEntries(names)));
    }
    await using back = await again(basalt).live();
    expect(back.batches.every(({ snapshot }) => snapshot)).toBe(true);
    expect(back.catalogue.members.get(amber.cluster)?.exports.size).toBe(1200);
  });

  test.each([
    [
      "of another store",
      (): { store: Uid; revision: Revision } => ({ store: crypto.randomUUID() as Uid, revision: 1 as Revision }),
    ],
    ["ahead of the store", (_: unknown, store: Uid) => ({ store, revision: 999 as Revision })],
  ])("with a cursor %s gets a snapshot", async (_, cursor) => {
    await using broker = await TestBroker.open();
    const amber = await member(broker, "amber");
    await amber[Symbol.asyncDispose]();
    amber.cursor = cursor(undefined, amber.cursor?.store as Uid);
    await using back = await again(amber).live();
    expect(back.batches).toMatchObject([{ snapshot: true }]);
  });

  test("of what a store had before it lost the end of its log gets a snapshot, also when the store has grown again", async () => {
    await using broker = await TestBroker.open();
    const [amber, basalt] = [await member(broker, "amber"), await member(broker, "basalt")];
    const { store } = amber.cursor as { store: Uid };
    const ahead = { store, revision: (broker.broker.desk.revision() + 2) as Revision };
    for (const one of [amber, basalt]) {
      await one.until(() => one.cursor?.revision === broker.broker.desk.revision());
      await one[Symbol.asyncDispose]();
      one.cursor = ahead;
    }
    await using first = await again(amber).live();
    for (const name of ["a", "b", "c"]) await first.publish(first.says({ [name]: first.address() }));
    await using second = await again(basalt).live();
    expect(second.welcome?.store).not.toBe(store);
    expect(second.batches.every(({ snapshot }) => snapshot)).toBe(true);
    expect(second.catalogue.members.get(amber.cluster)?.exports.size).toBe(3);
  });

  test("after a restart of the broker goes on at its cursor, in its epoch", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    await amber.publish(amber.says({ web: amber.address() }));
    const { epoch } = amber;
    await amber.until(() => amber.cursor?.revision === broker.broker.desk.revision());
    await broker.restart();
    await amber.until(() => amber.client.state !== "live");
    await amber.live();
    expect(amber.batches.at(-1)).toMatchObject({ put: [], remove: [], snapshot: false });
    expect(amber.welcome).toMatchObject({ epoch, head: { order: { epoch, seq: amber.seq } } });
    expect(await amber.publish(amber.says({ more: amber.address() }))).toMatchObject({ ok: true });
  });

  test("[CVE-2026-33343] sees the same by a first state, by what is told, and from its cursor on: records, and all of them", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const basalt = await member(broker, "basalt");
    await amber.publish(amber.says({ kept: amber.address(), gone: amber.address() }));
    await basalt.until(() => basalt.cursor?.revision === broker.broker.desk.revision());
    await basalt[Symbol.asyncDispose]();
    const secret = must(parseToken(broker.invite())).secret.reveal(); // of which no member may hear
    await amber.publish(amber.says({ gone: null, more: amber.address() }));
    await using resumed = await again(basalt).live();
    await using cobalt = await member(broker, "cobalt");
    const readers = [amber, resumed, cobalt];
    for (const one of readers) await one.until(() => one.cursor?.revision === broker.broker.desk.revision());
    const stored = [...broker.broker.desk.records()].map(({ envelope }) => envelope);
    const lines = (some: Iterable<Envelope>) => Array.from(some, (envelope) => JSON.stringify(envelope)).sort();
    for (const one of readers) expect(lines(one.records.values())).toEqual(lines(stored));
    expect(readers.some(({ batches }) => JSON.stringify(batches).includes(secret))).toBe(false);
  });

  test("whose records did not add up gets all of the members that it asks for", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    await using basalt = await member(broker, "basalt");
    await amber.publish(amber.says({ web: amber.address() }));
    basalt.client.askSnapshot([amber.cluster]);
    const batch = await basalt.until(() =>
      basalt.batches.find(({ snapshot, put }, at) => snapshot && at > 0 && put.length > 0),
    );
    expect(batch.put.map(({ key }) => key).sort()).toEqual([
      exportKey(amber.cluster, "web"),
      "head/amber",
      "member/amber",
    ]);
    expect(batch.revision).toBe(broker.broker.desk.revision());
  });
});

/** A link that takes frames, or keeps them while it is stuck. */
class FakeLink implements Link {
  readonly remote = "192.0.2.1" as Ip;
  readonly features: readonly string[] = [];
  readonly version = "1";
  readonly open = true;
  readonly frames: string[] = [];
  stuck = false;
  #waiting: { readonly bytes: number; readonly left: () => void }[] = [];

  buffered(): number {
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  send(frame: string, left: () => void): void {
    this.frames.push(frame);
    if (this.stuck) this.#waiting.push({ bytes: frame.length, left });
    else setImmediate(left);
  }

  flush(): void {
    this.stuck = false;
    for (const { left } of this.#waiting.splice(0)) left();
  }

  tell(): void {}
  refuse(): void {}
  cut(): void {}
}

const login = (n: number): Login =>
  ({ cluster: `c${n}` as ClusterId, gateway: "gw" as NodeName, tunnelKey: null, source: null, network: {} }) as never;

describe("Hub", () => {
  const live = async (outbox: Outbox): Promise<void> => {
    outbox.start(null);
    while (outbox.state !== "live") await new Promise((resolve) => setImmediate(resolve));
  };

  /** A turn of the loop for each commit. */
  const told = async (): Promise<void> => {
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
  };

  test("encodes a change once, however many read it", async () => {
    const book = memoryBook(systemClock);
    const hub = new Hub(book);
    const links = Array.from({ length: 100 }, () => new FakeLink());
    for (const [n, link] of links.entries()) await live(hub.add(login(n), link).outbox);
    const stringify = vi.spyOn(JSON, "stringify");
    book.write({ grants: [{ kind: "reserved", prefix: "242.9.0.0/16" as never }] });
    await told();
    const encoded = stringify.mock.calls.filter(([value]) => (value as { key?: string }).key === "grant/1");
    stringify.mockRestore();
    expect(encoded).toHaveLength(1);
    expect(new Set(links.map(({ frames }) => frames.at(-1))).size).toBe(1);
    expect(links[0]?.frames.at(-1)).toContain("grant/1");
  });

  test("lets nobody wait for a reader that does not read, and gives that one the rest when it does (F5, F37)", async () => {
    const book = memoryBook(systemClock);
    const hub = new Hub(book);
    const [slow, quick] = [new FakeLink(), new FakeLink()];
    const reader = hub.add(login(1), slow);
    await live(reader.outbox);
    await live(hub.add(login(2), quick).outbox);
    slow.stuck = true;
    const note = "n".repeat(40_000);
    for (let i = 0; i < 100; i++) {
      book.write({
        records: [],
        grants: [{ kind: "reserved", prefix: `242.${i + 1}.0.0/16` as never, note } as never],
      });
    }
    await told();
    expect(quick.frames.length).toBe(101);
    expect(slow.frames.length).toBeLessThan(40);
    expect(slow.buffered()).toBeLessThan(2 << 20);
    slow.flush();
    while (reader.outbox.state !== "live") await new Promise((resolve) => setImmediate(resolve));
    expect(slow.frames.join()).toContain("grant/100");
    expect(reader.outbox.sent).toBe(book.store.revision());
  });
});
