import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Revision } from "#values";
import type { Diff } from "./frames.ts";
import { SLOW_BYTES, STUCK_MS } from "./limits.ts";
import { Outbox } from "./outbox.ts";
import { record } from "./testbed.ts";

/** A socket that takes nothing until a test drains it, and the log behind it: revision r put the record `r<r>`. */
class Bench {
  revision = 0 as Revision;
  now = 0;
  diffs = 0;
  cut: string | null = null;
  readonly waiting: { readonly frame: string; readonly left: () => void }[] = [];
  readonly taken: string[] = [];
  readonly outbox = new Outbox(
    {
      buffered: () => this.waiting.reduce((sum, { frame }) => sum + frame.length, 0),
      send: (frame, left) => void this.waiting.push({ frame, left }),
      cut: (reason) => {
        this.cut = reason;
      },
    },
    { revision: () => this.revision, since: (since) => this.since(since) },
    () => this.now,
  );

  since(since: Revision | null): Diff {
    this.diffs += 1;
    const keys = Array.from({ length: this.revision - (since ?? 0) }, (_, i) => `r${(since ?? 0) + i + 1}`);
    return { revision: this.revision, put: keys.map((key) => record(key)), removed: [], snapshot: since === null };
  }

  /** change commits a revision and offers it, encoded with so many bytes. */
  change(bytes = 100): string {
    this.revision = (this.revision + 1) as Revision;
    const put = [record(`r${this.revision}`, bytes)];
    const frame = JSON.stringify({
      t: "batch",
      revision: this.revision,
      put,
      remove: [],
      snapshot: false,
      more: false,
    });
    this.outbox.offer([frame], this.revision);
    return frame;
  }

  /** drain lets the socket take some frames, in order. */
  drain(count = Number.POSITIVE_INFINITY): void {
    for (let i = 0; i < count && this.waiting.length > 0; i++) {
      const next = this.waiting.shift();
      this.taken.push(next?.frame ?? "");
      next?.left();
    }
  }

  get read(): { revision: number; keys: string[]; snapshot: boolean; more: boolean }[] {
    return this.taken.map((frame) => {
      const { revision, put, snapshot, more } = JSON.parse(frame) as Diff & { more: boolean; put: { key: string }[] };
      return { revision, keys: put.map(({ key }) => key.replace("export/amber/shop/", "")), snapshot, more };
    });
  }

  live(): this {
    this.outbox.start(this.revision);
    this.drain();
    this.taken.length = 0;
    return this;
  }
}

describe("start()", () => {
  test("without a cursor sends a snapshot, then the reader is live", () => {
    const bench = new Bench();
    bench.change();
    bench.outbox.start(null);
    bench.drain();
    expect(bench.read).toEqual([{ revision: 1, keys: ["r1"], snapshot: true, more: false }]);
    expect(bench.outbox.state).toBe("live");
  });

  test("with a cursor sends exactly what came after it", () => {
    const bench = new Bench();
    for (let i = 0; i < 5; i++) bench.change();
    bench.outbox.start(3 as Revision);
    bench.drain();
    expect(bench.read).toEqual([{ revision: 5, keys: ["r4", "r5"], snapshot: false, more: false }]);
  });

  test("with the newest cursor sends an empty batch: it tells the reader that it is live", () => {
    const bench = new Bench();
    bench.change();
    bench.outbox.start(1 as Revision);
    bench.drain();
    expect(bench.read).toEqual([{ revision: 1, keys: [], snapshot: false, more: false }]);
  });

  test("is once in a session", () => {
    const bench = new Bench().live();
    expect(() => bench.outbox.start(null)).toThrow("once");
  });
});

describe("offer()", () => {
  test("before start() sends nothing: the first state will have it", () => {
    const bench = new Bench();
    bench.change();
    expect(bench.waiting).toEqual([]);
  });

  test("hands a live reader the very frame that was encoded once for all", () => {
    const bench = new Bench().live();
    const frame = bench.change();
    bench.drain();
    expect(bench.taken[0]).toBe(frame);
    expect(bench.diffs).toBe(1);
  });

  test("coalesces for a reader that does not read: memory stays bounded, and nothing is lost", () => {
    const bench = new Bench().live();
    for (let i = 0; i < 50; i++) bench.change(100_000);
    const held = bench.waiting.reduce((sum, { frame }) => sum + frame.length, 0);
    expect(held).toBeLessThan(SLOW_BYTES + 200_000);
    expect(bench.outbox.state).toBe("behind");
    bench.drain();
    expect(bench.read.flatMap(({ keys }) => keys)).toEqual(Array.from({ length: 50 }, (_, i) => `r${i + 1}`));
    expect(bench.outbox.state).toBe("live");
  });

  test("that finds the reader behind, with nothing of its own on the way, goes on by itself", () => {
    const bench = new Bench().live();
    bench.waiting.push({ frame: "a".repeat(2 * SLOW_BYTES), left: () => {} }); // an answer, not of the outbox
    bench.change();
    bench.waiting.length = 0;
    bench.change();
    bench.drain();
    expect(bench.read.flatMap(({ keys }) => keys)).toEqual(["r1", "r2"]);
  });

  test("cuts a reader that takes nothing for too long, and not one that is slow", () => {
    const bench = new Bench().live();
    for (let i = 0; i < 30; i++) bench.change(100_000);
    for (bench.now = 0; bench.now < 5 * STUCK_MS; bench.now += STUCK_MS / 2) {
      bench.drain(1);
      bench.change(100_000);
    }
    expect(bench.cut).toBeNull();
    bench.now += STUCK_MS + 1;
    bench.change();
    expect(bench.cut).toContain("too slow");
  });
});

describe("insert()", () => {
  const extra = (bench: Bench) => (): Diff => ({
    revision: bench.revision,
    put: [record("extra")],
    removed: [],
    snapshot: true,
  });

  test("sends what was asked for behind what is missing, so that its revision skips nothing", () => {
    const bench = new Bench().live();
    for (let i = 0; i < 30; i++) bench.change(100_000);
    bench.outbox.insert(extra(bench));
    bench.drain();
    expect(bench.read.at(-1)).toEqual({ revision: 30, keys: ["extra"], snapshot: true, more: false });
    expect(bench.read.flatMap(({ keys }) => keys).slice(0, 30)).toEqual(
      Array.from({ length: 30 }, (_, i) => `r${i + 1}`),
    );
  });

  test("respects the bound: nothing is sent to a socket that is full", () => {
    const bench = new Bench().live();
    for (let i = 0; i < 30; i++) bench.change(100_000);
    const before = bench.waiting.length;
    for (let i = 0; i < 10; i++) bench.outbox.insert(extra(bench));
    expect(bench.waiting.length).toBe(before);
    bench.drain();
    expect(bench.read.filter(({ keys }) => keys.includes("extra"))).toHaveLength(1);
  });
});

test("whatever the socket does, a reader sees every key in order and ends with the newest revision", () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 400_000 }), fc.constant("drain"), fc.constant("one")), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, (script) => {
      const bench = new Bench();
      bench.outbox.start(null);
      for (const step of script) {
        if (typeof step === "number") bench.change(step);
        else bench.drain(step === "one" ? 1 : undefined);
      }
      bench.drain();
      const seen = bench.read.flatMap(({ keys }) => keys);
      expect(seen).toEqual(Array.from({ length: bench.revision }, (_, i) => `r${i + 1}`));
      expect(bench.outbox.sent).toBe(bench.revision);
    }),
  );
});
