import { describe, expect, test } from "vitest";
import type { Ip } from "#values";
import { FreshAddresses } from "./fresh-addresses.ts";

const KEY = "shop/web";
const WEB = "242.192.0.7" as Ip;
const OTHER = "242.192.0.8" as Ip;

/** Addresses that other nodes take 250 ms to hear of, and a clock that a test moves. */
function fresh(spreadMs = 250) {
  const clock = { time: 0, monotonic: () => clock.time };
  return { clock, addresses: new FreshAddresses(clock, () => spreadMs) };
}

describe("FreshAddresses", () => {
  test("an address may be answered when other nodes have had the time to hear of it, which is told once", () => {
    const { clock, addresses } = fresh();
    expect([addresses.may(KEY, WEB), addresses.waitMs(KEY)]).toEqual([false, 250]);
    clock.time = 249;
    expect([addresses.may(KEY, WEB), addresses.waitMs(KEY)]).toEqual([false, 1]);
    clock.time = 250;
    expect([addresses.may(KEY, WEB), addresses.waitMs(KEY), addresses.waitMs(KEY)]).toEqual([true, 0, null]);
  });

  test("at once where there are no other nodes", () => {
    const { addresses } = fresh(0);
    expect([addresses.may(KEY, WEB), addresses.waitMs(KEY)]).toEqual([true, null]);
  });

  test("another address waits anew, and what was forgotten too", () => {
    const { clock, addresses } = fresh();
    addresses.may(KEY, WEB);
    clock.time = 300;
    expect([addresses.may(KEY, WEB), addresses.has(KEY, WEB)]).toEqual([true, true]);
    expect([addresses.may(KEY, OTHER), addresses.has(KEY, WEB)]).toEqual([false, false]);
    clock.time = 600;
    addresses.forget(KEY);
    expect([addresses.has(KEY, OTHER), addresses.waitMs(KEY), addresses.may(KEY, OTHER)]).toEqual([false, null, false]);
  });
});
