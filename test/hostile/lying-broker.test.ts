import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cidr, Ip, Namespace, ServiceName } from "#values";
import type { Envelope, GrantEntry } from "#wire";
import { folder } from "../cli/testbed.ts";
import { BrokerDouble } from "./broker-double.ts";
import { GatewayUnderTest } from "./gateway-under-test.ts";
import { metricOf, type Witness } from "./gateway-witness.ts";
import { Signer } from "./signer.ts";

/** What a broker that holds every key of one can do to a member (attacker T3): nothing that stays unseen. */

const [dir, remove] = folder();
let double: BrokerDouble;
let amber: GatewayUnderTest;
let birch: Signer;
let cedar: Signer;
let before: Witness;
/** What birch said before it said what is in force. */
let old: readonly Envelope[];

beforeAll(async () => {
  double = await BrokerDouble.open();
  birch = double.puppet("birch");
  cedar = double.puppet("cedar");
  const first = birch.says({ web: { type: "ClusterSetIP" }, gone: {} });
  old = [birch.gateway(), ...first.put];
  double.put(old);
  const then = birch.says({ db: {}, gone: null });
  double.put([birch.gateway({ version: "2" }, { epoch: 1, seq: 2 }), ...then.put], then.remove);
  double.put([cedar.gateway(), ...cedar.says({ ledger: {} }).put]);
  amber = await GatewayUnderTest.start(dir, "amber", double);
  await amber.until(({ imports }) => imports.length === 3, "three imports");
  await amber.caughtUp();
  before = await amber.witness();
  expect(before.answers["db.shop.svc.clusterset.local"]).toEqual([birch.address()]);
}, 30_000);

afterAll(async () => {
  await amber?.[Symbol.asyncDispose]();
  await double?.[Symbol.asyncDispose]();
  remove();
});

/** impostor has a member's name and uid, and a key of its own. */
function impostor(of: Signer, generation = 1): Signer {
  const made = new Signer(of.cluster, undefined, of.uid);
  made.generation = generation;
  made.place = of.place;
  return made;
}

const pods = (to: Signer, prefix: string): GrantEntry => {
  return { kind: "pods", ...to.who, local: "10.244.0.0/16" as Cidr, prefix: prefix as Cidr };
};
const service = (name: string, address: string): GrantEntry => {
  return { kind: "service", namespace: "shop" as Namespace, name: name as ServiceName, address: address as Ip };
};

describe("a broker that holds all keys, and", () => {
  test.each<[what: string, lie: () => readonly Envelope[], trouble: RegExp]>([
    ["swaps a member's key", () => [double.member(impostor(birch), {}, 2)], /key-swap: member birch is pinned/],
    [
      "swaps a member's key by a generation that nothing has ended",
      () => [double.member(impostor(birch, 2), {}, 2)],
      /key-swap: generation 2 without an end of 1/,
    ],
    [
      "gives a member another uid",
      () => [double.member(birch, { uid: cedar.uid }, 3)],
      /member\/birch: equivocation: two contents of generation 1/,
    ],
    [
      "makes a member older than it is, to win its conflicts",
      () => [double.member(birch, { joinedAt: 1 }, 4)],
      /member\/birch: equivocation/,
    ],
    [
      "sends another tunnel key in a member's name",
      () => [impostor(birch).gateway({}, { epoch: 9, seq: 1 })],
      /gateway\/birch\/gw: unsigned/,
    ],
    [
      "sends another member's exports in a member's name",
      () => impostor(birch).says({ fake: {} }, { epoch: 9, seq: 1 }).put,
      /head\/birch: unsigned/,
    ],
    ["[AWS 2025-10-19] replays a gateway's old record", () => [old[0] as Envelope], /gateway\/birch\/gw: stale/],
    ["[AWS 2025-10-19] replays an old head with its records", () => old.slice(1), /head\/birch: stale/],
    [
      "says two things under one number",
      () => [double.member(birch, { joinedAt: 7 })],
      /member\/birch: equivocation: two contents with one order/,
    ],
  ])("%s: is not believed, and shown", async (_, lie, trouble) => {
    double.tell({ put: lie() });
    await amber.trouble(trouble);
    await amber.caughtUp();
    await amber.unmoved(before);
  });

  test.each([
    ["a member's prefix", "242.1.0.0/16"],
    ["a half of it", "242.1.128.0/17"],
    ["a /25 in it", "242.1.3.0/25"],
    ["twice its prefix", "242.0.0.0/15"],
    ["our own prefix", "242.3.0.0/16"],
    ["the whole clusterset", "242.0.0.0/8"],
    ["everything", "0.0.0.0/0"],
    ["half of everything", "0.0.0.0/1"],
    ["the loopback", "127.0.0.0/8"],
    ["the broker's own address", "127.0.0.1/32"],
    ["link-local addresses", "169.254.0.0/16"],
    ["multicast", "224.0.0.0/4"],
    ["our pods' local addresses", "10.244.0.0/16"],
    ["our ClusterIPs", "10.96.0.0/16"],
    ["addresses of the world", "8.8.8.0/24"],
    ["service addresses", "242.192.0.0/16"],
    ["other members' nodes", "242.0.1.0/25"],
    ["IPv6", "fd00::/8"],
  ])("grants a member %s (%s): is not believed, and shown", async (_, prefix) => {
    const grant = double.grant(pods(cedar, prefix));
    double.tell({ put: [grant] });
    await amber.trouble(new RegExp(`${grant.key}: (overlap|out-of-bounds): .*${prefix.replaceAll(".", "\\.")}`));
    await amber.caughtUp();
    const after = await amber.witness();
    expect({ ...after, records: after.records.filter((line) => !line.startsWith("grant/")) }).toEqual({
      ...before,
      records: before.records.filter((line) => !line.startsWith("grant/")),
    });
  });

  test.each([
    ["an address of the world", "8.8.8.8"],
    ["the loopback", "127.0.0.1"],
    ["a cloud's metadata", "169.254.169.254"],
    ["one of our ClusterIPs", "10.96.0.1"],
    ["another member's pod", "242.2.0.7"],
    ["another name's address", "242.192.0.1"],
  ])("gives a name %s (%s): is not believed, and shown", async (_, address) => {
    const grant = double.grant(service("ledger", address));
    double.tell({ put: [grant] });
    await amber.trouble(new RegExp(`${grant.key}: (overlap|out-of-bounds): .*${address.replaceAll(".", "\\.")}`));
    await amber.caughtUp();
    expect((await amber.witness()).answers).toEqual(before.answers);
  });

  test("every refusal was counted", async () => {
    expect(await metricOf(amber.place, "meridian_records_refused_total")).toBeGreaterThanOrEqual(30);
    expect(await metricOf(amber.place, "meridian_records_refused_total", 'code="stale"')).toBeGreaterThanOrEqual(2);
  });
});
