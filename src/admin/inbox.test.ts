import { describe, expect, test } from "vitest";
import type { Revision } from "#values";
import { FakeDesk, fakeRecord } from "./fake-desk.ts";
import { Inbox } from "./inbox.ts";
import { ManualClock } from "./testbed.ts";

const signal = new AbortController().signal;

function opened() {
  const desk = new FakeDesk();
  return { desk, clock: new ManualClock(), inbox: new Inbox(desk) };
}

describe("Inbox", () => {
  test("gives changes in their order, those first that came before anyone waited", async () => {
    const { desk, clock, inbox } = opened();
    const revisions = [desk.write([], ["a"]), desk.write([], ["b"])];
    const got = [await inbox.next(clock, 1000, signal), await inbox.next(clock, 1000, signal)];
    expect(got).toMatchObject(revisions.map((revision) => ({ revision })));
  });

  test("wakes whoever waits, and is quiet after its span", async () => {
    const { desk, clock, inbox } = opened();
    const next = inbox.next(clock, 1000, signal);
    desk.write([fakeRecord("head/oak")], []);
    expect(await next).toMatchObject({ revision: 2 as Revision });
    const quiet = inbox.next(clock, 1000, signal);
    clock.advance(1000);
    expect(await quiet).toBe("quiet");
  });

  test("says once that it missed something when it was full, and then goes on with what is new", async () => {
    const { desk, clock, inbox } = opened();
    for (let n = 0; n < 100; n += 1) desk.write([], []);
    expect(await inbox.next(clock, 1000, signal)).toBe("missed");
    const revision = desk.write([], []);
    expect(await inbox.next(clock, 1000, signal)).toMatchObject({ revision });
  });

  test("hears nothing more once it is closed, and ends its wait when the signal aborts", async () => {
    const { desk, clock, inbox } = opened();
    const end = new AbortController();
    const next = inbox.next(clock, 1000, end.signal);
    end.abort();
    expect(await next).toBe("quiet");
    inbox.close();
    expect(desk.listeners.size).toBe(0);
  });
});
