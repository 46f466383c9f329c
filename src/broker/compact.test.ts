import { expect, test } from "vitest";
import { silentLog } from "#life";
import { compactGrants } from "./compact.ts";
import { TestBroker } from "./testbed.ts";
import { again, member } from "./testbed-gateway.ts";

const grantsOf = (broker: TestBroker) =>
  [...broker.broker.desk.records()].filter(({ envelope }) => envelope.key.startsWith("grant/"));

test("compactGrants() leaves a base that says what is live; members that slept follow it, and all go on", async () => {
  await using broker = await TestBroker.open({ quarantineMs: 0 as never });
  await using amber = await member(broker, "amber");
  const birch = await member(broker, "birch");
  await birch.until(() => birch.cursor?.revision === broker.broker.desk.revision());
  await birch[Symbol.asyncDispose]();
  for (let at = 0; at < 5; at += 1) {
    await using guest = await member(broker, `guest${at}`);
    await guest.client.leave(guest.leaveRecord());
  }
  const before = grantsOf(broker).length;
  const live = () => [...amber.catalogue.ledger.live()].map((entry) => JSON.stringify(entry)).sort();
  await amber.until(() => amber.cursor?.revision === broker.broker.desk.revision());
  const was = live();
  expect(await compactGrants(broker.broker.book, silentLog, 1)).toBe(true);
  expect([before > 5, grantsOf(broker).length]).toEqual([true, 1]);
  await amber.until(() => amber.cursor?.revision === broker.broker.desk.revision());
  expect(live()).toEqual(was);
  expect([...amber.records.keys()].filter((key) => key.startsWith("grant/"))).toHaveLength(1);
  await using back = await again(birch).live();
  expect(back.catalogue.chronicle.root()).toBe(amber.catalogue.chronicle.root());
  await broker.restart();
  await amber.until(() => amber.client.state !== "live");
  await amber.live();
  await using late = await member(broker, "late");
  expect(late.prefix).not.toBe(amber.prefix);
  expect(live()).toEqual(expect.arrayContaining(was));
});
