import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  addPod,
  type Cluster,
  checkName,
  checkPage,
  checkPing,
  checkUdp,
  createCluster,
  createRun,
  createUnderlay,
  type Daemon,
  eventually,
  firstNode,
  getOnce,
  installServices,
  invite,
  listAllocations,
  mustExec,
  nameOf,
  type Place,
  POD_HTTP_PORT,
  type Pod,
  ping,
  plainNode,
  processesIn,
  type Reach,
  type Run,
  readFrames,
  resolve,
  runPodServer,
  startBroker,
  startCapture,
  startGateway,
  startPlainNode,
  stopJob,
  sweepRun,
  verb,
  verbJson,
} from "#lab";
import { type Cidr, err, type Ip, expect as must, networkOf, ok } from "#values";

/** amber and birch have networks apart and --globalnet off, and amber a node without a gateway; cedar has amber's
 *  networks over again, and translates. */
const CLUSTERS = {
  amber: { index: 1, nodes: 2, podCidr: "10.1.0.0/16" as Cidr, serviceCidr: "10.101.0.0/16" as Cidr, masquerade: true },
  birch: { index: 2, podCidr: "10.2.0.0/16" as Cidr, serviceCidr: "10.102.0.0/16" as Cidr, masquerade: false },
  cedar: { index: 3, podCidr: "10.1.0.0/16" as Cidr, serviceCidr: "10.101.0.0/16" as Cidr, masquerade: false },
} as const;
type Name = keyof typeof CLUSTERS;
const DIRECT = ["--globalnet", "off"];
const MARKER = "page-in-the-open";
const WEB = nameOf("web");
const DB = nameOf("db");

interface Status {
  readonly peers: readonly { readonly cluster: string; readonly mode: string; readonly up: boolean }[];
  readonly troubles: readonly unknown[];
}

describe("members with networks apart, untranslated", () => {
  let run: Run;
  let underlay: Place;
  let web: Ip;
  const clusters = {} as Record<Name, Cluster>;
  const gateways = {} as Record<Name, Daemon>;
  const pods = {} as Record<"amberClient" | "amberFar" | "birchWeb" | "birchDb" | "cedarClient", Pod>;

  beforeAll(async () => {
    run = await createRun();
    underlay = await createUnderlay(run);
    const broker = await startBroker(underlay);
    for (const name of ["amber", "birch", "cedar"] as const) {
      clusters[name] = await createCluster(underlay, { name, ...CLUSTERS[name] });
    }
    pods.amberClient = await addPod(clusters.amber, { name: "client", address: "10.1.1.10" as Ip });
    const nameserver = firstNode(clusters.amber).address; // a node without a gateway answers no names
    pods.amberFar = await addPod(clusters.amber, { name: "far", address: "10.1.2.10" as Ip, node: 2, nameserver });
    pods.birchWeb = await addPod(clusters.birch, { name: "web-0", address: "10.2.1.10" as Ip });
    pods.birchDb = await addPod(clusters.birch, { name: "db-0", address: "10.2.1.11" as Ip });
    pods.cedarClient = await addPod(clusters.cedar, { name: "client", address: "10.1.1.10" as Ip });
    await Promise.all(Object.values(pods).map((pod) => runPodServer(pod, MARKER)));
    const common = { namespace: "shop", exported: true } as const;
    await installServices(clusters.birch, [
      { ...common, name: "web", clusterIp: "10.102.0.10" as Ip, backends: [pods.birchWeb] },
      { ...common, name: "db", clusterIp: "None", backends: [pods.birchDb] },
    ]);
    for (const name of ["amber", "birch", "cedar"] as const) {
      const token = await invite(broker, ["--cluster", name]);
      gateways[name] = await startGateway(clusters[name], { token, flags: name === "cedar" ? [] : DIRECT });
    }
    await startPlainNode(clusters.amber, plainNode(clusters.amber), [firstNode(clusters.amber)]);
    const granted = async () => {
      const entry = (await listAllocations(broker)).find(({ kind, name }) => kind === "service" && name === "web");
      return entry === undefined ? err("web has no address") : ok(entry.prefix.replace("/32", "") as Ip);
    };
    web = must(await eventually(granted));
  });
  afterAll(async () => {
    if (run !== undefined) await sweepRun(run);
  });

  const self = (pod: Pod): Cidr => networkOf(pod.address, 32);
  const toWeb = (change: Partial<Reach> = {}): Reach => {
    const { amberClient: from, birchWeb: server } = pods;
    return { from, name: WEB, addresses: [web], server, seenAs: self(from), ...change };
  };
  const toDb = (change: Partial<Reach> = {}): Reach => {
    const server = pods.birchDb;
    return toWeb({ name: DB, addresses: [server.address], server, port: POD_HTTP_PORT, ...change });
  };

  test("status names the mode of each pair, and nothing is wrong", async () => {
    const modes = async (name: Name): Promise<readonly string[]> => {
      const { peers, troubles } = must(await verbJson<Status>(gateways[name], ["status"]));
      return [
        ...peers.map(({ cluster, mode, up }) => `${cluster} ${mode} ${up ? "up" : "down"}`),
        ...troubles.map(String),
      ];
    };
    const wanted = {
      amber: ["birch direct up", "cedar globalnet up"],
      birch: ["amber direct up", "cedar globalnet up"],
      cedar: ["amber globalnet up", "birch globalnet up"],
    };
    for (const name of ["amber", "birch", "cedar"] as const) {
      await expect.poll(() => modes(name), { timeout: 20_000 }).toEqual(wanted[name]);
    }
  });

  test("by service address and by headless name the server sees the client's own address", async () => {
    await checkPage(toWeb());
    await checkPage(toDb());
    await checkPage({ ...toDb(), name: `db-0.birch.${DB}` });
  });

  test("so it does where the client is on a node without a gateway, which answers too", async () => {
    await checkPage(toDb({ from: pods.amberFar, seenAs: self(pods.amberFar) }));
    expect(must(await getOnce(pods.birchDb, `http://${pods.amberFar.address}:${POD_HTTP_PORT}/`)).pod).toBe("far");
    const routes = await mustExec(plainNode(clusters.amber), ["ip", "route"]);
    expect(routes).toMatch(/^unreachable 10\.2\.0\.0\/16 proto 77 metric 4278198272/m);
  });

  test("datagrams and pings too", async () => {
    await checkUdp(toWeb());
    await checkUdp(toDb());
    await checkPing(pods.amberClient, `db-0.birch.${DB}`);
  });

  test("a process of a node is seen as an address of its member's nodes", async () => {
    const seenAs = must(
      await verbJson<readonly { cluster: string; kind: string; prefix: Cidr }[]>(gateways.amber, ["ipam", "list"]),
    ).find(({ cluster, kind }) => cluster === "amber" && kind === "nodes")?.prefix as Cidr;
    await checkPage(toWeb({ from: firstNode(clusters.amber), seenAs }));
    await checkPage(toDb({ from: firstNode(clusters.amber), seenAs }));
  });

  test("a member that translates reaches both, and is told the pods by global addresses", async () => {
    const from = pods.cedarClient;
    await checkName({ from, name: DB, addresses: ["242.2.1.11" as Ip] });
    await checkPage(toDb({ from, addresses: ["242.2.1.11" as Ip], seenAs: "242.3.1.10/32" as Cidr }));
    await checkPage(toWeb({ from, seenAs: "242.3.1.10/32" as Cidr }));
  });

  test("explain says how a pod is reached, and whose its own address is", async () => {
    const said = await verb(gateways.amber, ["explain", DB]);
    expect(must(said)).toContain("direct: its pods by their own addresses");
    expect(must(await verb(gateways.cedar, ["explain", DB]))).toContain("since cedar has --globalnet on");
    expect(must(await verb(gateways.amber, ["explain", "10.2.1.11"]))).toContain("pod 10.2.1.11 of birch");
  });

  test("no process of a host is reached through a tunnel by an address in the pod network", async () => {
    const { bridge } = firstNode(clusters.birch);
    expect(await getOnce(pods.amberClient, `http://${bridge}:9090/healthz`)).toMatchObject({ ok: false });
    expect(await ping(pods.amberClient, bridge, 1)).toMatchObject({ ok: false });
  });

  test("with the tunnel killed nothing leaves in clear, though there is a default route; it works again after", async () => {
    const { place } = gateways.amber;
    expect(await mustExec(place, ["ip", "route", "show", "default"])).toContain("default");
    expect(await stopJob(gateways.amber.job)).toBe(0);
    for (const pid of await processesIn(place.pid, "wireguard-go")) process.kill(pid, "SIGKILL");
    const capture = await startCapture(underlay, "tunnel-killed");
    for (const url of [`http://${pods.birchDb.address}:${POD_HTTP_PORT}/`, `http://${web}/`]) {
      expect(await getOnce(pods.amberClient, url)).toMatchObject({ ok: false });
    }
    expect(await ping(pods.amberClient, pods.birchDb.address, 2)).toMatchObject({ ok: false });
    // Inside amber the nodes probe each other in clear: that is of no member to another.
    const reading = readFrames(await capture.stop(), MARKER, ["10.0.0.0/8", "242.192.0.0/10"] as Cidr[]);
    expect([reading.withMarker, reading.inside]).toEqual([0, 0]);
    gateways.amber = await startGateway(clusters.amber, { flags: DIRECT });
    await checkPage(toDb());
  });

  test("a member that translates again is told global addresses, and so are the others of it", async () => {
    expect(await stopJob(gateways.birch.job)).toBe(0);
    gateways.birch = await startGateway(clusters.birch);
    await checkName({ from: pods.amberClient, name: DB, addresses: ["242.2.1.11" as Ip] });
    await checkPage(toDb({ addresses: ["242.2.1.11" as Ip], seenAs: "242.1.1.10/32" as Cidr }));
    expect(await mustExec(gateways.amber.place, ["ip", "route"])).not.toContain("10.2.0.0/16");
    expect(await stopJob(gateways.birch.job)).toBe(0);
    gateways.birch = await startGateway(clusters.birch, { flags: DIRECT });
    await checkPage(toDb());
  });

  test("leave takes its routes and rules away", async () => {
    must(await verb(gateways.amber, ["leave"]));
    const left = "ip route show table all; ip rule; nft list tables; ip -br link";
    expect(await mustExec(firstNode(clusters.amber), ["sh", "-c", left])).not.toMatch(/10\.2\.|mrd|meridian|proto 77/);
    expect(await resolve(pods.cedarClient, DB)).toMatchObject({ ok: true });
  });
});
