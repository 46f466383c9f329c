import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClusterId, IdentityKey, NodeName, Uid } from "#values";
import { type Envelope, type Login, seal, unsealed } from "#wire";
import { folder } from "../cli/testbed.ts";
import { gatewayPlace, startDaemon, until, webService, writeManifest } from "../cli/testbed-daemons.ts";
import { type AuditLine, BrokerUnderTest } from "./broker-under-test.ts";
import { statusOf, type Witness, witnessOf } from "./gateway-witness.ts";
import { MemberDouble, type MemberOptions } from "./member-double.ts";
import { exportOf, Signer, slice } from "./signer.ts";

/** What a member with a valid identity can do to the others (attacker T1): each message, with each field that names
 *  somebody, naming somebody else. The broker and a real gateway stand by and must not change. */

const [dir, remove] = folder();
let broker: BrokerUnderTest;
let amberAt: Awaited<ReturnType<typeof gatewayPlace>>;
let amber: ReturnType<typeof startDaemon>;
let mallory: MemberDouble;
/** A member that does nothing wrong. */
let victim: Signer;
let before: { readonly broker: Awaited<ReturnType<BrokerUnderTest["witness"]>>; readonly gateway: Witness };
let heard = 0;
const OWN = "own.shop.svc.clusterset.local";

beforeAll(async () => {
  broker = await BrokerUnderTest.start(dir);
  amberAt = await gatewayPlace(dir, "amber");
  writeManifest(amberAt, "web.yaml", webService("web", "10.244.1.10"));
  amber = startDaemon([...amberAt.argv, "--join-token", await broker.invite()]);
  await amber.line(/"msg":"ready"/);
  victim = new Signer("birch");
  await using birch = await join(victim);
  await birch.publish({ put: [victim.gateway()] });
  await birch.publish(victim.says({ db: {} }));
  mallory = await join(new Signer("mallory"));
  await mallory.publish({ put: [mallory.signer.gateway()] });
  await mallory.publish(mallory.signer.says({ own: {} }));
  await imported(3);
  before = await look();
  heard = (await broker.audit()).length;
}, 60_000);

afterAll(async () => {
  await mallory?.[Symbol.asyncDispose]();
  await amber?.stop("SIGKILL");
  await broker?.[Symbol.asyncDispose]();
  remove();
});

async function join(signer: Signer, change: Partial<MemberOptions> = {}): Promise<MemberDouble> {
  const token = await broker.invite("--cluster", signer.cluster);
  return MemberDouble.joined({ url: broker.url, ca: broker.ca, signer, token, ...change });
}

async function imported(count: number): Promise<void> {
  const ask = async () => (await statusOf(amberAt)).imports.length;
  await until(ask, (length) => length === count);
}

async function look(): Promise<typeof before> {
  return { broker: await broker.witness(), gateway: await witnessOf(amberAt) };
}

/** audited gives the lines since it was asked last. */
async function audited(): Promise<readonly AuditLine[]> {
  const lines = await broker.audit(heard);
  heard += lines.length;
  return lines;
}

/** Everything is as it was, and exactly this was written down. */
async function refusedWith(detail: RegExp): Promise<void> {
  const lines = await audited();
  expect(lines.map(({ outcome, detail: said }) => `${outcome} ${said}`)).toEqual([
    expect.stringMatching(new RegExp(`^refused .*${detail.source}`)),
  ]);
  expect(await look()).toEqual(before);
}

/** fresh is a new member for each group of tests: the audit log has a rate for each. */
async function fresh(name: string): Promise<void> {
  await mallory[Symbol.asyncDispose]();
  mallory = await join(new Signer(name));
  await mallory.publish({ put: [mallory.signer.gateway()] });
  await mallory.publish(mallory.signer.says({ own: {} }));
  await imported(3);
  // Its endpoint is answered some time after its head is on the disk.
  await until(
    () => witnessOf(amberAt),
    ({ records, answers }) =>
      records.some((line) => line.startsWith(`head/${name}`)) && (answers[OWN]?.includes(me().address()) ?? false),
  );
  before = await look();
  await audited();
}

const me = () => mallory.signer;
const order = { epoch: 99, seq: 99 };
/** signed is a record that the attacker's own key has signed, whatever its key says. */
const signed = (key: string, body: unknown): Envelope => seal(me().privateKey, key, order, body);
const headOver = (change: Record<string, unknown>): Envelope => me().head(me().next(), change);

describe("[CVE-2026-47724] a publication of a member that", () => {
  test.each<[string, () => { put?: readonly Envelope[]; remove?: readonly string[] }, string]>([
    ["names another's gateway", () => ({ put: [signed("gateway/birch/gw", victim.who)] }), "not-owner"],
    [
      "names another's head",
      () => ({ put: [signed("head/birch", { ...victim.who, count: 0, root: "" })] }),
      "not-owner",
    ],
    [
      "names another's export",
      () => ({ put: [unsealed("export/birch/shop/db", order, exportOf("db", [])), headOver({})] }),
      "not-owner",
    ],
    [
      "names another's nodes",
      () => ({ put: [unsealed("nodes/birch", order, { nodes: [] }), headOver({})] }),
      "not-owner",
    ],
    ["makes a member", () => ({ put: [signed("member/elm", { ...me().who, cluster: "elm" })] }), "not-owner"],
    ["changes its own member record", () => ({ put: [signed("member/mallory", me().who)] }), "not-owner"],
    ["evicts another", () => ({ put: [signed("eviction/birch", { ...victim.who, evictedAt: 1 })] }), "not-owner"],
    ["has another leave", () => ({ put: [signed("leave/birch", { ...victim.who, leftAt: 1 })] }), "not-owner"],
    [
      "grants itself another's prefix",
      () => ({ put: [signed("grant/999", { number: 999, entries: me().grants() })] }),
      "not-owner",
    ],
    ["removes another's export", () => ({ remove: ["export/birch/shop/db"] }), "not-owner"],
    ["removes another's gateway", () => ({ remove: ["gateway/birch/gw"] }), "not-owner"],
    ["removes another's member record", () => ({ remove: ["member/birch"] }), "not-owner"],
    ["removes a grant", () => ({ remove: ["grant/1"] }), "not-owner"],
    ["removes a head", () => ({ remove: ["head/birch"] }), "not-owner"],
  ])("%s is refused", async (_, publication, code) => {
    expect(await mallory.publish(publication())).toMatchObject({ t: "nack", code });
    await refusedWith(new RegExp(code));
  });
});

describe("a gateway's record of a member that", () => {
  beforeAll(() => fresh("mallory-2"));

  test.each<[string, () => Record<string, unknown>, string]>([
    ["names another cluster", () => ({ cluster: "birch" }), "invalid"],
    ["names another's uid", () => ({ uid: victim.uid }), "unknown-member"],
    ["names another generation", () => ({ generation: 2 }), "unknown-member"],
    ["names another gateway", () => ({ name: "other" }), "invalid"],
    ["takes an index that it was not granted", () => ({ index: 3 }), "not-owned"],
    ["has another's address", () => ({ address: victim.place?.nodes.replace("0/24", "1") }), "not-owned"],
    ["has another's pod for its address", () => ({ address: victim.address() }), "not-owned"],
    ["has the loopback for its address", () => ({ address: "127.0.0.1" }), "not-owned"],
    ["has 0.0.0.0 for its address", () => ({ address: "0.0.0.0" }), "not-owned"],
  ])("%s is refused", async (_, change, code) => {
    expect(await mallory.publish({ put: [me().gateway(change(), order)] })).toMatchObject({ t: "nack", code });
    await refusedWith(new RegExp(code));
  });

  test("is signed by another key is refused", async () => {
    const forged = seal(victim.privateKey, `gateway/${me().cluster}/gw`, order, JSON.parse(me().gateway().body));
    expect(await mallory.publish({ put: [forged] })).toMatchObject({ t: "nack", code: "unsigned" });
    await refusedWith(/unsigned/);
  });
});

describe("an export of a member that", () => {
  beforeAll(() => fresh("mallory-3"));

  test.each<[string, () => string]>([
    ["another's pod", () => victim.address()],
    ["another's node", () => `${victim.place?.nodes.replace("0/24", "1")}`],
    ["this network", () => "0.0.0.0"],
    ["the loopback, where the broker is", () => "127.0.0.1"],
    ["a cloud's metadata", () => "169.254.169.254"],
    ["multicast", () => "224.0.0.1"],
    ["its own local pod", () => "10.244.1.10"],
    ["a ClusterIP", () => "10.96.0.1"],
    ["a service address", () => "242.192.0.1"],
    ["an address of the world", () => "8.8.8.8"],
    ["IPv6's loopback", () => "::1"],
    ["IPv4 in IPv6", () => "::ffff:127.0.0.1"],
    ["a link-local IPv6 address", () => "fe80::1"],
  ])("leads to %s is refused", async (_, address) => {
    const said = me().says({ trap: { slices: [slice([me().address(), address()])] } });
    me().tally.remove(me().exportKey("trap"));
    const answer = await mallory.publish(said);
    expect(answer).toMatchObject({ t: "nack", code: expect.stringMatching(/not-owned|invalid/) });
    await refusedWith(/not-owned|invalid/);
  });
});

describe("a head of a member that", () => {
  beforeAll(() => fresh("mallory-4"));

  test.each<[string, () => Envelope, string]>([
    ["names another cluster", () => headOver({ cluster: "birch" }), "invalid"],
    ["names another's uid", () => headOver({ uid: victim.uid }), "unknown-member"],
    ["names another generation", () => headOver({ generation: 7 }), "unknown-member"],
    ["counts what is not there", () => headOver({ count: 5 }), "head-mismatch"],
    ["has another root", () => headOver({ root: "A".repeat(43) }), "head-mismatch"],
    ["has an epoch that nobody granted", () => me().head({ epoch: me().epoch + 1, seq: 1 }), "not-speaker"],
    ["has the last of all epochs", () => me().head({ epoch: Number.MAX_SAFE_INTEGER, seq: 1 }), "not-speaker"],
    ["is older than the one before", () => me().head({ epoch: me().epoch, seq: 0 }), "stale"],
    [
      "says another thing under the same number",
      () => me().head({ epoch: me().epoch, seq: 1 }, { count: 9 }),
      "equivocation",
    ],
  ])("%s is refused", async (_, head, code) => {
    expect(await mallory.publish({ put: [head()] })).toMatchObject({ t: "nack", code });
    await refusedWith(new RegExp(code));
  });

  test.each<[string, () => Envelope]>([
    ["another's", () => seal(me().privateKey, "leave/birch", { epoch: 1, seq: 1 }, { ...victim.who, leftAt: 1 })],
    ["another's in its own name", () => me().leave({ cluster: "birch" })],
    ["its own, under another's uid", () => me().leave({ uid: victim.uid })],
    ["a generation that is to come", () => me().leave({ generation: 2 })],
    [
      "what another's key signed",
      () => seal(victim.privateKey, `leave/${me().cluster}`, order, { ...me().who, leftAt: 1 }),
    ],
    ["a record of another kind", () => me().gateway()],
  ])("a leave that ends %s is refused", async (_, record) => {
    expect(await mallory.ask({ t: "leave", record: record() })).toMatchObject({ t: "nack" });
    await refusedWith(/./);
  });
});

describe("a login that", () => {
  let from = 10;
  const attempt = async (change: Partial<MemberOptions>): Promise<string | undefined> => {
    from += 1; // refusals are counted by where they come from
    const options = { url: broker.url, ca: broker.ca, signer: me(), from: `127.0.0.${from}`, ...change };
    await using double = await MemberDouble.dial(options);
    return double.refusal()?.code;
  };
  const network = (wanted: string) => (login: Login) =>
    ({ ...login, network: { ...login.network, pods: [{ cidr: "10.1.0.0/16", wanted }] } }) as Login;

  beforeAll(() => fresh("mallory-5"));

  test.each<[string, () => Partial<MemberOptions>, string]>([
    [
      "names another cluster",
      () => ({ forgeSigned: (l) => ({ ...l, cluster: "birch" as ClusterId }) }),
      "duplicate-cluster",
    ],
    ["names another's uid", () => ({ forgeSigned: (l) => ({ ...l, uid: victim.uid }) }), "other-uid"],
    [
      "names another cluster with its uid and key",
      () => ({ forgeSigned: (l) => ({ ...l, cluster: victim.cluster, uid: victim.uid, key: victim.key }) }),
      "bad-proof",
    ],
    ["shows another's key", () => ({ forge: (l) => ({ ...l, key: victim.key as IdentityKey }) }), "bad-proof"],
    [
      "changes its cluster after signing",
      () => ({ forge: (l) => ({ ...l, cluster: "birch" as ClusterId }) }),
      "bad-proof",
    ],
    ["changes its uid after signing", () => ({ forge: (l) => ({ ...l, uid: victim.uid as Uid }) }), "bad-proof"],
    ["changes its gateway after signing", () => ({ forge: (l) => ({ ...l, gateway: "x" as NodeName }) }), "bad-proof"],
    ["is of nobody", () => ({ signer: new Signer("stranger") }), "unknown-member"],
    ["asks for another's prefix", () => ({ forgeSigned: network(victim.place?.pods ?? ""), gateway: "b" }), "."],
    ["asks for a half of it", () => ({ forgeSigned: network("242.2.128.0/17"), gateway: "b" }), "."],
    ["asks for everything", () => ({ forgeSigned: network("0.0.0.0/0"), gateway: "b" }), "."],
    ["asks for the loopback", () => ({ forgeSigned: network("127.0.0.0/16"), gateway: "b" }), "."],
    ["asks for link-local addresses", () => ({ forgeSigned: network("169.254.0.0/16"), gateway: "b" }), "."],
    ["asks for service addresses", () => ({ forgeSigned: network("242.193.0.0/16"), gateway: "b" }), "."],
  ])("%s is refused", async (_, change, code) => {
    expect(await attempt(change())).toMatch(new RegExp(code));
    await refusedWith(new RegExp(code));
  });

  test("has a token for another name, and joins as that of somebody else, is refused", async () => {
    const token = await broker.invite("--cluster", "fir");
    await audited();
    expect(await attempt({ signer: new Signer("oak"), token })).toMatch(/token/);
    await refusedWith(/token/);
  });
});

test("a report names only the ways of whoever sends it", async () => {
  const lie = { cluster: "birch", gateway: "gw", up: false, rttSeconds: 9, jitterSeconds: null, lossRatio: 1 };
  mallory.say({ t: "report", revision: 1, peers: [lie] });
  const rows = async () => (await broker.get<{ items: Record<string, unknown>[] }>("/v1/latency")).items;
  await until(rows, ({ length }) => length === 1);
  expect(JSON.stringify(await rows())).toContain("mallory-5");
});
