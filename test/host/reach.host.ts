import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  checkExporters,
  checkName,
  checkPage,
  checkPing,
  checkPlainPage,
  checkPrefixes,
  checkSealed,
  checkServiceAddress,
  checkUdp,
  exportCedarWeb,
  firstNode,
  getOnce,
  globalAddress,
  NAMESPACE,
  nameOf,
  POD_HTTP_PORT,
  type Pod,
  type Prefixes,
  ping,
  type Reach,
  resolve,
  SUPERNET,
  seenAs,
  verbJson,
  WEB_CLUSTER_IP,
} from "#lab";
import { type Ip, expect as must, networkOf } from "#values";
import { type Raised, raise } from "./host-clusterset.ts";

const WEB = nameOf("web");
const DB = nameOf("db");
const DB_POD = `db-0.amber.${DB}`;

describe("clusters with the same addresses talk by name", () => {
  let raised: Raised;
  let prefixes: ReadonlyMap<string, Prefixes>;
  let web: Ip;
  let ledger: Ip;

  beforeAll(async () => {
    raised = await raise();
    prefixes = await checkPrefixes(raised.set);
    web = await checkServiceAddress(raised.set, NAMESPACE, "web");
    ledger = await checkServiceAddress(raised.set, NAMESPACE, "ledger");
  });
  afterAll(() => raised?.down());

  const pods = () => raised.scene.pods;
  const global = (pod: Pod): Ip => globalAddress(prefixes.get(pod.cluster) ?? (undefined as never), pod);

  /** From birch, whose CNI masquerades, to web of amber. */
  function toWeb(change: Partial<Reach> = {}): Reach {
    const { birchClient: from, amberWeb: server } = pods();
    return { from, name: WEB, addresses: [web], server, seenAs: seenAs(prefixes, from), ...change };
  }

  function toDb(): Reach {
    const server = pods().amberDb;
    return toWeb({ name: DB, addresses: [global(server)], server, port: POD_HTTP_PORT });
  }

  test("a pod gets the service address and the page, and is seen as its global address", async () => {
    const answer = await checkPage(toWeb());
    expect(answer.client).toBe(global(pods().birchClient));
  });

  test("a datagram to the service address too", () => checkUdp(toWeb()));

  test("the reverse at the same time", async () => {
    const { amberWeb: from, birchLedger: server } = pods();
    const back = { from, name: nameOf("ledger"), addresses: [ledger], server, seenAs: seenAs(prefixes, from) };
    const [there, here] = await Promise.all([checkPage(toWeb()), checkPage(back)]);
    expect([there.cluster, here.cluster]).toEqual(["amber", "birch"]);
  });

  test("a headless name means the pods by their global addresses, and each pod has a name", async () => {
    await checkPage(toDb());
    await checkPage({ ...toDb(), name: DB_POD });
    await checkUdp(toDb());
    await checkPing(pods().birchClient, DB_POD);
  });

  test("a process of a node is seen as an address of its member's nodes", async () => {
    const node = firstNode(raised.scene.clusters.birch);
    await checkPage(toWeb({ from: node, seenAs: seenAs(prefixes, node) }));
  });

  test("inside the exporting member the name means the same, and the pod is seen as itself", async () => {
    const from = pods().amberDb;
    await checkPage(toWeb({ from, seenAs: networkOf(from.address, 32) }));
  });

  test("a pod that is its own endpoint reaches itself by the name (hairpin)", async () => {
    await checkName({ from: pods().amberWeb, name: WEB, addresses: [web] });
    expect(must(await getOnce(pods().amberWeb, `http://${WEB}/`)).pod).toBe("web-0");
  });

  test("an ordinary ClusterIP works as before, though another cluster has the same", async () => {
    const from = pods().amberDb;
    await checkPlainPage(toWeb({ from, seenAs: networkOf(from.address, 32) }), WEB_CLUSTER_IP);
    const ledgerClient = pods().birchClient;
    expect(must(await getOnce(ledgerClient, `http://${WEB_CLUSTER_IP}/`)).pod).toBe("ledger-0");
  });

  test("names that nobody exports do not exist, also below ones that do", async () => {
    for (const name of [nameOf("none"), `none.amber.${DB}`, `db-0.cedar.${DB}`]) {
      expect(await resolve(pods().birchClient, name)).toMatchObject({ ok: false });
    }
  });

  test("no process of a host is reached through a tunnel, nor what nobody has", async () => {
    const bridge = global({ ...pods().amberWeb, address: firstNode(raised.scene.clusters.amber).bridge });
    expect(await getOnce(pods().birchClient, `http://${bridge}:9090/healthz`)).toMatchObject({ ok: false });
    expect(await ping(pods().birchClient, "242.99.0.1", 1)).toMatchObject({ ok: false });
  });

  test("explain says what the resolver says", async () => {
    const said = must(await verbJson<{ answer: string[] }>(raised.set.gateways.birch, ["explain", DB_POD]));
    expect(said.answer).toEqual([global(pods().amberDb)]);
  });

  test("nothing readable crosses, also when a second member exports the same service", async () => {
    await exportCedarWeb(raised.scene);
    const spread = () => checkExporters(pods().birchClient, `http://${WEB}/`, ["amber", "cedar"]);
    const reading = await checkSealed(raised.scene, SUPERNET, spread);
    expect(reading.encrypted).toBeGreaterThan(100);
    await checkName({ from: pods().birchClient, name: WEB, addresses: [web] });
  });

  test("status shows every peer up and nothing wrong, on every side", async () => {
    for (const daemon of Object.values(raised.set.gateways)) {
      const { peers, troubles } = must(
        await verbJson<{ peers: { up: boolean }[]; troubles: unknown[] }>(daemon, ["status"]),
      );
      expect([peers.map(({ up }) => up), troubles]).toEqual([[true, true], []]);
    }
  });
});
