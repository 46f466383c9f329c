import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Cidr } from "#values";
import type { Envelope } from "#wire";
import { folder } from "../cli/testbed.ts";
import { BrokerDouble, type DoubleBatch, type Lies } from "./broker-double.ts";
import { GatewayUnderTest } from "./gateway-under-test.ts";
import type { Witness } from "./gateway-witness.ts";
import { type Signer, slice } from "./signer.ts";

/** What a broker can keep back, take back or make up at the start of a session (attacker T3): nothing of it takes
 *  anything away from what was known, and all of it is shown. */

const [dir, remove] = folder();
let double: BrokerDouble;
let amber: GatewayUnderTest;
let birch: Signer;
let cedar: Signer;
let before: Witness;

beforeAll(async () => {
  double = await BrokerDouble.open();
  birch = double.puppet("birch");
  cedar = double.puppet("cedar");
  double.put([birch.gateway(), ...birch.says({ web: { type: "ClusterSetIP" }, db: {} }).put]);
  double.put([cedar.gateway(), ...cedar.says({ ledger: {} }).put]);
  amber = await GatewayUnderTest.start(dir, "amber", double);
  await amber.until(({ imports }) => imports.length === 3, "three imports");
  before = await settled();
}, 30_000);

afterAll(async () => {
  await amber?.[Symbol.asyncDispose]();
  await double?.[Symbol.asyncDispose]();
  remove();
});

beforeEach(() => {
  double.lies = {};
});

/** Everything but our own records, which each session may say anew under a higher number. */
async function settled(): Promise<Witness> {
  await amber.caughtUp();
  const witness = await amber.witness();
  return { ...witness, records: witness.records.filter((line) => !line.includes("/amber")) };
}

/** begin kills the gateway and has its next session begin as the lies say: that what it knows is on the disk is part
 *  of what is shown. */
async function begin(lies: Lies): Promise<void> {
  double.lies = lies;
  const from = double.arrivals.all.length;
  await amber.restart("SIGKILL");
  if (lies.welcome === undefined) await double.session("amber", from);
}

/** everything has the next session begin with a snapshot, as a broker with another store does. */
const everything = (change: (batch: DoubleBatch) => DoubleBatch): Promise<void> =>
  begin({ first: () => change(double.all()) });

const without = (cluster: string) => (batch: DoubleBatch) => ({
  ...batch,
  put: batch.put.filter(({ key }) => key.split("/")[1] !== cluster),
});

describe("a broker that begins a session and", () => {
  test("[AWS 2025-10-19] sends nothing but an empty snapshot: everything stays, and each member is shown as left out", async () => {
    await everything((batch) => ({ ...batch, put: [] }));
    await amber.trouble(/broker-withholds member\/birch: birch has neither left nor been evicted/);
    await amber.trouble(/broker-withholds member\/cedar/);
    expect(await settled()).toEqual(before);
  });

  test("leaves out one member: it stays, and is shown; when it is there again, the trouble ends", async () => {
    await everything(without("birch"));
    await amber.trouble(/broker-withholds member\/birch/);
    await amber.until(({ troubles }) => troubles.every(({ detail }) => !detail.includes("cedar")), "cedar is there");
    expect(await settled()).toEqual(before);
    await everything((batch) => batch);
    await amber.until(({ troubles }) => troubles.length === 0, "no trouble");
    expect(await settled()).toEqual(before);
  });

  test("withholds a head but not its records: nothing is taken in", async () => {
    const said = birch.says({ fresh: {} });
    double.tell({ put: said.put.filter(({ key }) => key.startsWith("export/")) });
    expect(await settled()).toEqual(before);
    double.put(birch.says({ fresh: null }).put, [birch.exportKey("fresh")]);
  });

  test("withholds a record but not its head: the last good set stays, is shown, and comes right by itself", async () => {
    before = await settled();
    const said = birch.says({ next: {}, other: {} });
    double.lies.batch = (batch) => ({ ...batch, put: batch.put.filter(({ key }) => key !== birch.exportKey("other")) });
    double.put(said.put);
    await amber.trouble(/record-refused head\/birch: head-mismatch/);
    expect((await amber.witness()).imports).toEqual(before.imports);
    double.lies = {};
    await amber.until(({ imports }) => imports.length === 5, "what was withheld");
    await amber.until(({ troubles }) => troubles.length === 0, "no trouble");
    before = await settled();
  });

  test("says that all removals happened which no head covers: nothing goes", async () => {
    double.tell({ remove: [...double.records.keys()] });
    expect(await settled()).toEqual(before);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["everything as the supernet", { supernets: ["0.0.0.0/0"] }, /broker-foreign a supernet/],
    ["the loopback as the supernet", { supernets: ["127.0.0.0/8"] }, /broker-foreign a supernet cannot contain/],
    ["our pods as the supernet", { supernets: ["10.0.0.0/8"] }, /broker-foreign the broker's supernet is 10/],
    ["another supernet than before", { supernets: ["243.0.0.0/8"] }, /broker-foreign the broker's supernet is 243/],
    [
      "another allocation key",
      { allocationKey: Buffer.alloc(32, 3).toString("base64url") },
      /broker-foreign the broker signs/,
    ],
    ["another uid for us", { uid: "00000000-0000-4000-8000-0000000000ee" }, /broker-foreign the broker says uid/],
  ])("names %s: nothing of it is taken", async (_, lie, trouble) => {
    const evil = birch.says({ evil: {} }).put;
    birch.says({ evil: null });
    await begin({
      welcome: (welcome) => ({ ...welcome, ...lie }),
      first: () => ({ ...double.all(), put: [...double.all().put, ...evil] }),
    });
    await amber.trouble(trouble);
    const { imports, answers } = await amber.witness();
    expect({ imports, answers }).toEqual({ imports: before.imports, answers: before.answers });
    double.lies = {};
    await amber.until(({ troubles }) => troubles.length === 0, "the right broker again");
  });

  test.each(["incarnation", "epoch"])("counts our %s up to the end of all numbers: it is hung up on", async (field) => {
    await begin({ welcome: (welcome) => ({ ...welcome, [field]: Number.MAX_SAFE_INTEGER }) });
    await amber.trouble(/broker-away/);
    double.lies = {};
    await amber.until(({ troubles }) => troubles.length === 0, "the right broker again");
    expect((await settled()).imports).toEqual(before.imports);
  });
});

describe("a broker that takes back what it gave, and", () => {
  test("gives a live member's prefix to another: nobody is led there in the first one's name", async () => {
    const pods = birch.place?.pods as Cidr;
    const away = double.grant({ kind: "release", prefix: pods });
    const given = double.grant({ kind: "pods", ...cedar.who, local: "10.244.0.0/16" as Cidr, prefix: pods });
    double.tell({ put: [away, given] });
    await amber.caughtUp();
    const { answers } = await amber.witness();
    expect(answers["db.shop.svc.clusterset.local"]).not.toContain(birch.address());
    // The rightful state comes back by the same key; what was held of birch was not lost meanwhile.
    const back = double.grant({ kind: "release", prefix: pods });
    const again = double.grant({ kind: "pods", ...birch.who, local: "10.244.0.0/16" as Cidr, prefix: pods });
    double.tell({ put: [back, again] });
    await amber.caughtUp();
    // Known is not yet in force: the names follow within the time that convergence may take (N3).
    await expect.poll(async () => (await amber.witness()).answers, { timeout: 5000 }).toEqual(before.answers);
  });

  test("drops an eviction: who is out stays out, over a restart and with an honest signature on everything", async () => {
    const all = double.all().put as readonly Envelope[];
    double.put([double.eviction(cedar)]);
    await amber.until(({ imports }) => imports.every(({ clusters }) => !clusters.includes("cedar")), "cedar is out");
    const out = (await settled()).imports;
    for (const key of [...double.records.keys()]) if (key.startsWith("eviction/")) double.records.delete(key);
    await everything(() => ({ put: all, remove: [], snapshot: true }));
    expect((await settled()).imports).toEqual(out);
    await begin({});
    double.tell({
      put: [double.member(cedar, {}, 9), ...cedar.says({ ledger: { slices: [slice([cedar.address(9)])] } }).put],
    });
    await amber.trouble(/head\/cedar: unknown-member/);
    expect((await settled()).imports).toEqual(out);
  });

  test("drops a member's own leave: it stays away as well", async () => {
    const all = double.all().put;
    double.put([birch.leave()]);
    await amber.until(({ imports }) => imports.length === 0, "birch is gone");
    await everything(() => ({ put: all, remove: [], snapshot: true }));
    await amber.caughtUp();
    expect((await amber.status()).imports).toEqual([]);
  });
});
