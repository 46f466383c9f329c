import { describe, expect, test } from "vitest";
import { TestClock } from "#lab";
import { silentLog, Troubles } from "#life";
import type { ProbeTarget } from "#probe";
import { ProberSlot } from "./prober-slot.ts";
import { ip } from "./testbed.ts";

const target = (change: Partial<ProbeTarget> = {}): ProbeTarget => ({
  id: "birch/gw",
  address: ip("242.0.2.1"),
  interface: "mrd0",
  ...change,
});

/** A slot whose prober was heard to say that a way is up. */
async function slotWith(first: ProbeTarget) {
  const verdicts: string[] = [];
  const slot = new ProberSlot({
    ...{ own: "amber" as never },
    ...{ clock: new TestClock(), log: silentLog, troubles: new Troubles(), random: () => 0.5 },
    onVerdict: (id, up) => verdicts.push(`${id} ${up}`),
  });
  const stop = new AbortController();
  const running = slot.run(stop.signal);
  slot.set(ip("127.0.0.1"), [first, target({ id: "self", address: ip("127.0.0.1"), interface: null })]);
  await expect.poll(() => slot.isUp("self"), { timeout: 10_000 }).toBe(true);
  const end = (): Promise<void> => {
    stop.abort();
    return running;
  };
  return { slot, verdicts, end };
}

describe("ProberSlot", () => {
  test("knows of a way what was heard, and forgets it when the way becomes another", async () => {
    const { slot, verdicts, end } = await slotWith(target());
    expect(verdicts).toContain("self true");
    expect(slot.isUp("birch/gw")).toBeUndefined();
    const self = target({ id: "self", address: ip("127.0.0.1"), interface: null });
    slot.set(ip("127.0.0.1"), [self]);
    expect(slot.isUp("self")).toBe(true);
    slot.set(ip("127.0.0.1"), [{ ...self, address: ip("127.0.0.9") }]);
    expect(slot.isUp("self")).toBeUndefined();
    await end();
    expect(slot.prober).toBeNull();
  });

  test("reaches() asks for any way to a member, by its whole name", async () => {
    const { slot, end } = await slotWith(target());
    const ways = [target({ id: "birch/b", address: ip("127.0.0.1"), interface: null }), target({ id: "birchwood/gw" })];
    slot.set(ip("127.0.0.1"), ways);
    await expect.poll(() => slot.reaches("birch" as never), { timeout: 10_000 }).toBe(true);
    expect(slot.reaches("birchwood" as never)).toBe(false);
    expect(slot.reaches("bir" as never)).toBe(false);
    expect(slot.reports().map(({ id }) => id)).toEqual(["birch/b", "birchwood/gw"]);
    await end();
  });

  test("without an address it waits, and ends when told", async () => {
    const slot = new ProberSlot({
      ...{ own: "amber" as never },
      ...{ clock: new TestClock(), log: silentLog, troubles: new Troubles(), random: () => 0.5, onVerdict: () => {} },
    });
    const stop = new AbortController();
    const running = slot.run(stop.signal);
    expect(slot.reports()).toEqual([]);
    stop.abort();
    await running;
  });
});
