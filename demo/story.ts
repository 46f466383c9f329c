import {
  addSecondGateway,
  CLUSTERS,
  type Clusterset,
  checkAccident,
  checkExporters,
  checkLatency,
  checkName,
  checkNodeLoss,
  checkPage,
  checkPing,
  checkPlainPage,
  checkPrefixes,
  checkSealed,
  checkServiceAddress,
  checkUdp,
  demand,
  exportCedarWeb,
  firstNode,
  globalAddress,
  NAMESPACE,
  nameOf,
  POD_CIDR,
  POD_HTTP_PORT,
  type Prefixes,
  type Reach,
  SUPERNET,
  seenAs,
  take,
  verb,
  WEB_CLUSTER_IP,
} from "#lab";
import { type Ip, networkOf } from "#values";
import { latencyTable } from "./latency-table.ts";
import type { Teller } from "./teller.ts";

/** Stage is what every chapter may look at. */
interface Stage {
  readonly teller: Teller;
  readonly set: Clusterset;
  readonly prefixes: ReadonlyMap<string, Prefixes>;
  /** Service address of `web`, the same in every member. */
  readonly web: Ip;
}

const WEB = nameOf("web");
const DB = nameOf("db");
const LEDGER = nameOf("ledger");
const DB_POD = `db-0.amber.${DB}`;

/** tellStory goes through the chapters in order; each checks what it shows and throws a CheckFault if it does not
 *  hold. It expects a clusterset that has just been joined. */
export async function tellStory(set: Clusterset, teller: Teller): Promise<void> {
  const prefixes = await tellPrefixes(set, teller);
  const web = await checkServiceAddress(set, NAMESPACE, "web");
  const stage: Stage = { teller, set, prefixes, web };
  await tellName(stage);
  await tellHeadless(stage);
  await tellNode(stage);
  await tellBothWays(stage);
  await tellLatency(stage);
  await tellTwoExporters(stage);
  await tellSealed(stage);
  await tellAccident(stage);
  await tellNodeLoss(stage);
}

/** The allocation tree as the broker has it: first as the program prints it for people, then read and judged. */
async function tellPrefixes(set: Clusterset, teller: Teller): Promise<ReadonlyMap<string, Prefixes>> {
  teller.chapter("Who got which prefix");
  teller.say(`all three have pods ${POD_CIDR}; each gets a global prefix of the same length`);
  teller.show("meridian ipam list", take(await verb(set.broker, ["ipam", "list"])));
  const prefixes = await checkPrefixes(set);
  teller.proved(`${prefixes.size} members, no two prefixes overlap`);
  return prefixes;
}

/** The main promise: by name, from a pod with the same address as the server, through a CNI that masquerades. The
 *  server must see the pod itself, not its node. UDP goes to the same service address. */
async function tellName(stage: Stage): Promise<void> {
  const { teller, set, web } = stage;
  const { birchClient, amberWeb } = set.scene.pods;
  teller.chapter("A pod of birch asks for a Service of amber");
  teller.say(`birch's client and amber's web-0 both are ${birchClient.address}; birch's CNI masquerades`);
  const answer = await checkPage(webFrom(stage));
  teller.show("the name", WEB);
  teller.show("means", answer.address);
  teller.show("the page", answer.body);
  teller.proved(`${amberWeb.hostname} of amber answered, and saw birch's pod as ${answer.client}`);
  await checkUdp(webFrom(stage));
  teller.proved(`the same by UDP to ${web}`);
}

/** A headless name means the pods themselves, by their global addresses, so nothing translates ports here; and each
 *  pod has a name of its own. */
async function tellHeadless(stage: Stage): Promise<void> {
  const { teller, set, prefixes } = stage;
  const { birchClient, amberDb } = set.scene.pods;
  teller.chapter("By headless name, by ping, by UDP");
  const amber = prefixes.get("amber");
  demand(amber !== undefined, "prefixes: amber has some");
  const reach: Reach = {
    from: birchClient,
    name: DB,
    addresses: [globalAddress(amber, amberDb)],
    server: amberDb,
    seenAs: seenAs(prefixes, birchClient),
    port: POD_HTTP_PORT,
  };
  const answer = await checkPage(reach);
  teller.show(DB, answer.address);
  teller.proved(`${answer.pod} answers, and saw ${answer.client}`);
  await checkPage({ ...reach, name: DB_POD });
  teller.proved(`${DB_POD} is that pod`);
  teller.proved(`ping: ${await checkPing(birchClient, DB_POD)} of 3 echoes`);
  teller.proved(`UDP: echoed, and saw ${(await checkUdp(reach)).client}`);
}

/** A process of a node has no pod address: it is seen under an address of its member's nodes. It asks 127.0.0.1. */
async function tellNode(stage: Stage): Promise<void> {
  const { teller, set, prefixes } = stage;
  teller.chapter("From a process of birch's node");
  const node = firstNode(set.scene.clusters.birch);
  const answer = await checkPage({ ...webFrom(stage), from: node, seenAs: seenAs(prefixes, node) });
  teller.proved(`amber saw ${answer.client}, an address of birch's nodes`);
}

/** Both directions in the same moment; then what must not have changed inside amber: pods see each other as they are,
 *  by the clusterset's name and by the ordinary ClusterIP, which another cluster uses too. */
async function tellBothWays(stage: Stage): Promise<void> {
  const { teller, set, prefixes } = stage;
  const { amberWeb, amberDb, birchLedger } = set.scene.pods;
  teller.chapter("The reverse at the same time, and everything inside as before");
  const ledger = await checkServiceAddress(set, NAMESPACE, "ledger");
  const back: Reach = {
    ...{ from: amberWeb, name: LEDGER, addresses: [ledger] },
    ...{ server: birchLedger, seenAs: seenAs(prefixes, amberWeb) },
  };
  const [there, here] = await Promise.all([checkPage(webFrom(stage)), checkPage(back)]);
  teller.proved(`birch → amber saw ${there.client}, amber → birch saw ${here.client}`);
  const own = { ...webFrom(stage), from: amberDb, seenAs: networkOf(amberDb.address, 32) };
  const inside = await checkPage(own);
  teller.proved(`inside amber the name means ${inside.address} too, and web-0 saw the pod as ${inside.client}`);
  await checkPlainPage(own, WEB_CLUSTER_IP);
  teller.proved(`amber's own ClusterIP ${WEB_CLUSTER_IP} answers as it did (birch's ledger has the same one)`);
}

/** What the program measures itself, through the tunnels, to both other members. */
async function tellLatency({ teller, set }: Stage): Promise<void> {
  teller.chapter("How far it is (two seconds of probes through the tunnels)");
  const peers = CLUSTERS.filter((name) => name !== "birch");
  const table = await checkLatency(set.gateways.birch, peers, "2s");
  teller.show("meridian bench", latencyTable("birch", table));
  teller.proved("both peers measured, nothing lost");
}

/** One object more in one file of cedar; the client does nothing. New connections spread, the address stays. */
async function tellTwoExporters({ teller, set, web }: Stage): Promise<void> {
  teller.chapter("A second cluster exports the same Service");
  await exportCedarWeb(set.scene);
  const { birchClient } = set.scene.pods;
  const shares = await checkExporters(birchClient, `http://${WEB}/`, ["amber", "cedar"]);
  const counts = [...shares].map(([cluster, count]) => `${cluster} ${count}`).join(", ");
  teller.show("24 connections", counts);
  await checkName({ from: birchClient, name: WEB, addresses: [web] });
  teller.proved(`both answer, and the name still means ${web}`);
}

/** Both exporters are asked, so that both tunnels are looked at. */
async function tellSealed({ teller, set }: Stage): Promise<void> {
  teller.chapter("What somebody on the wire can read");
  teller.say("recording everything between the nodes while pages are fetched");
  const { birchClient } = set.scene.pods;
  const reading = await checkSealed(set.scene, SUPERNET, () =>
    checkExporters(birchClient, `http://${WEB}/`, ["amber", "cedar"]),
  );
  teller.proved(`${reading.frames} frames, ${reading.encrypted} of them WireGuard's: no page and no inner address`);
}

/** The daemon of the exporting side is killed: the harder one, because the other members stop hearing its probes. */
async function tellAccident({ teller, set }: Stage): Promise<void> {
  teller.chapter("amber's gateway daemon is killed under a download");
  teller.say("kill -9 while birch downloads from amber for six seconds; started again after two");
  const downloaded = await checkAccident(set, {
    from: set.scene.pods.birchClient,
    url: `http://${DB_POD}:${POD_HTTP_PORT}/`,
    seconds: 6,
    victim: "amber",
    awayMs: 2000,
  });
  teller.proved(`${downloaded.bytes} bytes, all of them right; the longest pause was ${downloaded.gapMs} ms`);
  await checkPing(set.scene.pods.birchClient, DB_POD);
  teller.proved("the daemon is back, and adopted the tunnel that carried on without it");
}

/** cedar's pod behind two gateways: its node chose one of them for the download, and that one loses its host. */
async function tellNodeLoss({ teller, set, prefixes }: Stage): Promise<void> {
  teller.chapter("A gateway's host dies under a download");
  teller.say("cedar gets a second gateway, and a pod on a third node behind both; birch downloads from it");
  const cedar = prefixes.get("cedar");
  demand(cedar !== undefined, "prefixes: cedar has some");
  const behind = await addSecondGateway(set, cedar);
  const lost = await checkNodeLoss(set, behind, 4);
  teller.say(`${lost.host}, which carried it, lost its power: no process and no packet of it is left`);
  teller.proved(`${lost.bytes} bytes, all of them right; the longest pause was ${lost.gapMs} ms`);
}

/** webFrom is the question of chapter 3, with the answer it must have. */
function webFrom({ set, prefixes, web }: Stage): Reach {
  const { birchClient, amberWeb } = set.scene.pods;
  return { from: birchClient, name: WEB, addresses: [web], server: amberWeb, seenAs: seenAs(prefixes, birchClient) };
}
