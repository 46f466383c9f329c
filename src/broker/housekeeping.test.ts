import { describe, expect, test } from "vitest";
import { DAY, TestBroker } from "./testbed.ts";
import { member } from "./testbed-gateway.ts";

const stateOf = (broker: TestBroker, name: string) =>
  broker.broker.desk.allocations().find((a) => a.kind === "service" && a.name === name)?.state;

describe("the address of a name", () => {
  test("rests when nobody exports it, is known to all meanwhile, and is free after the quarantine", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    await amber.publish(amber.says({ web: amber.address() }));
    await amber.until(() => amber.catalogue.ledger.serviceAddress("shop/web"));
    await amber.publish(amber.says({ web: null }));
    broker.clock.advance(30_000);
    await expect.poll(() => stateOf(broker, "web")).toBe("quarantine");
    expect(amber.catalogue.ledger.serviceAddress("shop/web")).toBeDefined();
    broker.clock.advance(DAY);
    await expect.poll(() => stateOf(broker, "web")).toBeUndefined();
    await amber.until(() => amber.catalogue.ledger.serviceAddress("shop/web") === undefined);
  });

  test("that rests comes back with a re-export, the same, and stays", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    await amber.publish(amber.says({ web: amber.address() }));
    const address = await amber.until(() => amber.catalogue.ledger.serviceAddress("shop/web"));
    await amber.publish(amber.says({ web: null }));
    broker.clock.advance(30_000);
    await expect.poll(() => stateOf(broker, "web")).toBe("quarantine");
    await amber.publish(amber.says({ web: amber.address(9) }));
    expect(stateOf(broker, "web")).toBe("live");
    broker.clock.advance(2 * DAY);
    await amber.publish(amber.says({ other: amber.address() }));
    expect(stateOf(broker, "web")).toBe("live");
    expect(amber.catalogue.ledger.serviceAddress("shop/web")).toBe(address);
  });

  test("that another member exports still does not rest", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    await using basalt = await member(broker, "basalt");
    await amber.publish(amber.says({ web: amber.address() }));
    await basalt.publish(basalt.says({ web: basalt.address() }));
    broker.broker.desk.evict(amber.cluster, "test");
    broker.clock.advance(30_000);
    await basalt.publish(basalt.says({ other: basalt.address() }));
    expect(stateOf(broker, "web")).toBe("live");
  });

  test("for which there was none is granted when there is one again", async () => {
    await using broker = await TestBroker.open({ supernets: ["242.0.0.0/16" as never] });
    const network = { pods: [{ cidr: "10.244.0.0/24" as never, wanted: null }] };
    await using amber = await member(broker, "amber", { network });
    const address = amber.prefix.replace(/0\/24$/, "7");
    const full = broker.broker.desk;
    for (let at = 0; at < 16_384; at += 512) {
      const names = Array.from({ length: 511 }, (_, i) => [`s${at + i}`, address]);
      expect(await amber.publish(amber.says(Object.fromEntries(names)))).toMatchObject({ ok: true });
    }
    expect(full.allocations().filter(({ kind }) => kind === "service")).toHaveLength(16_352);
    expect(await amber.publish(amber.says(rest(32, address)))).toMatchObject({ ok: true });
    expect(await amber.publish(amber.says({ late: address }))).toMatchObject({ ok: true });
    expect(stateOf(broker, "late")).toBeUndefined();
    await amber.publish(amber.says({ s0: null }));
    broker.clock.advance(30_000);
    await expect.poll(() => stateOf(broker, "s0")).toBe("quarantine");
    broker.clock.advance(DAY);
    await expect.poll(() => stateOf(broker, "late"), { timeout: 5000 }).toBe("live");
  }, 60_000);
});

function rest(count: number, address: string): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`r${i}`, address]));
}
