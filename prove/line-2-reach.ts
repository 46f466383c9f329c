import {
  CheckFault,
  type Clusterset,
  checkPage,
  checkPing,
  checkPlainPage,
  checkPrefixes,
  checkSealed,
  checkServiceAddress,
  checkUdp,
  demand,
  firstNode,
  globalAddress,
  joinScene,
  NAMESPACE,
  nameOf,
  POD_HTTP_PORT,
  type Prefixes,
  type Reach,
  type Run,
  raiseScene,
  SUPERNET,
  seenAs,
  WEB_CLUSTER_IP,
} from "#lab";
import { type Ip, networkOf } from "#values";
import { inRun } from "../bench/index.ts";
import type { Line, Proof } from "./line.ts";

/** Stage is what every check looks at. */
interface Stage {
  readonly set: Clusterset;
  readonly prefixes: ReadonlyMap<string, Prefixes>;
  readonly web: Ip;
  readonly ledger: Ip;
}

/** Check is one clause of the line: it throws a CheckFault if it does not hold, and tells what was seen. */
interface Check {
  readonly what: string;
  check(stage: Stage): Promise<string>;
}

const DB = nameOf("db");
const DB_POD = `db-0.amber.${DB}`;

/** Each clause by itself, so that one that fails does not hide the others. birch's CNI masquerades. */
const CHECKS: readonly Check[] = [
  { what: "a pod of B gets the page by the name, seen by its global address, through a masquerading CNI", check: page },
  { what: "by a headless name", check: async (stage) => `saw ${(await checkPage(headless(stage))).client}` },
  {
    what: "by the name of one pod",
    check: async (s) => `saw ${(await checkPage({ ...headless(s), name: DB_POD })).client}`,
  },
  { what: "by ping", check: async ({ set }) => `${await checkPing(set.scene.pods.birchClient, DB_POD)} of 3 echoes` },
  { what: "by UDP to the service address", check: async (stage) => `saw ${(await checkUdp(there(stage))).client}` },
  { what: "by UDP to a headless name", check: async (stage) => `saw ${(await checkUdp(headless(stage))).client}` },
  { what: "from a process of B's node, by its node address", check: node },
  { what: "both directions at the same time", check: bothWays },
  { what: "from a member whose CNI does not masquerade", check: fromAmber },
  { what: "by its name inside A", check: inside },
  { what: "A's ordinary ClusterIP as before", check: clusterIp },
  { what: "nothing readable crosses between members", check: sealed },
];

/** line2: the demo's clusters, one of which masquerades, and every way of reaching that is promised. */
export const line2: Line = {
  title: "a pod, a node and a datagram reach the other cluster by name",
  required: `all ${CHECKS.length} ways, the server sees the client's global address`,
  run: (say, signal) => inRun((run) => proveReach(run, say), signal),
};

async function proveReach(run: Run, say: (text: string) => void): Promise<Proof> {
  const stage = await setUp(run, say);
  const details: string[] = [];
  let held = 0;
  for (const { what, check } of CHECKS) {
    say(what);
    const fault = await check(stage).then((seen) => void details.push(`${what}: ${seen}`), reasonOf);
    if (fault === undefined) held += 1;
    else details.push(`FAILS ${what}: ${fault}`);
  }
  return { measured: `${held} of ${CHECKS.length}`, holds: held === CHECKS.length, details };
}

/** Only a check that fails is a verdict; anything else is a broken laboratory. */
function reasonOf(reason: unknown): string {
  if (reason instanceof CheckFault) return reason.message;
  throw reason;
}

async function setUp(run: Run, say: (text: string) => void): Promise<Stage> {
  const set = await joinScene(await raiseScene(run), say);
  const [web, ledger] = [
    await checkServiceAddress(set, NAMESPACE, "web"),
    await checkServiceAddress(set, NAMESPACE, "ledger"),
  ];
  return { set, prefixes: await checkPrefixes(set), web, ledger };
}

async function page(stage: Stage): Promise<string> {
  const answer = await checkPage(there(stage));
  return `${nameOf("web")} means ${answer.address}, ${answer.pod} saw ${answer.client}`;
}

async function node(stage: Stage): Promise<string> {
  const from = firstNode(stage.set.scene.clusters.birch);
  const reach: Reach = { ...there(stage), from, seenAs: seenAs(stage.prefixes, from) };
  await checkPage({ ...reach, ...headless(stage), from, seenAs: reach.seenAs });
  return `saw ${(await checkPage(reach)).client}`;
}

async function bothWays(stage: Stage): Promise<string> {
  const [out, home] = await Promise.all([checkPage(there(stage)), checkPage(back(stage))]);
  return `A saw ${out.client}, B saw ${home.client}`;
}

async function fromAmber(stage: Stage): Promise<string> {
  const udp = await checkUdp(back(stage));
  return `page saw ${(await checkPage(back(stage))).client}, UDP ${udp.client}`;
}

async function inside(stage: Stage): Promise<string> {
  const answer = await checkPage(within(stage));
  await checkUdp(within(stage));
  return `means ${answer.address}, saw ${answer.client}`;
}

/** The ClusterIP is one that another cluster uses too, for another Service. */
async function clusterIp(stage: Stage): Promise<string> {
  const { birchClient, birchLedger } = stage.set.scene.pods;
  const here = await checkPlainPage(within(stage), WEB_CLUSTER_IP);
  const reach = { from: birchClient, server: birchLedger, seenAs: networkOf(birchClient.address, 32) };
  const other = await checkPlainPage(reach, WEB_CLUSTER_IP);
  return `${WEB_CLUSTER_IP} is ${here.pod} in A and ${other.pod} in B`;
}

async function sealed(stage: Stage): Promise<string> {
  const reading = await checkSealed(stage.set.scene, SUPERNET, async () => {
    for (let i = 0; i < 10; i++)
      await Promise.all([checkPage(there(stage)), checkPage(back(stage)), checkUdp(there(stage))]);
  });
  return `${reading.frames} frames, ${reading.encrypted} of them WireGuard's, none readable`;
}

/** The question of the line: birch's pod asks for amber's web. */
function there({ set, prefixes, web }: Stage): Reach {
  const { birchClient, amberWeb } = set.scene.pods;
  return {
    from: birchClient,
    name: nameOf("web"),
    addresses: [web],
    server: amberWeb,
    seenAs: seenAs(prefixes, birchClient),
  };
}

function headless({ set, prefixes }: Stage): Reach {
  const { birchClient, amberDb } = set.scene.pods;
  const amber = prefixes.get("amber");
  demand(amber !== undefined, "prefixes: amber has some");
  const addresses = [globalAddress(amber, amberDb)];
  const who = { from: birchClient, server: amberDb, seenAs: seenAs(prefixes, birchClient) };
  return { ...who, name: DB, addresses, port: POD_HTTP_PORT };
}

function back({ set, prefixes, ledger }: Stage): Reach {
  const { amberWeb, birchLedger } = set.scene.pods;
  const who = { from: amberWeb, server: birchLedger, seenAs: seenAs(prefixes, amberWeb) };
  return { ...who, name: nameOf("ledger"), addresses: [ledger] };
}

function within(stage: Stage): Reach {
  const { amberDb } = stage.set.scene.pods;
  return { ...there(stage), from: amberDb, seenAs: networkOf(amberDb.address, 32) };
}
