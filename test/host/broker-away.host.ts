import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Daemon,
  endOf,
  eventually,
  exportCedarWeb,
  firstNode,
  getOnce,
  HTTP_ADDRESS,
  mustExec,
  nameOf,
  processesIn,
  resolve,
  restartGateway,
  startBroker,
  stopJob,
  verb,
  verbJson,
} from "#lab";
import { err, expect as must, ok, type Result } from "#values";
import { type Raised, raise } from "./host-clusterset.ts";

interface Status {
  readonly broker: { readonly connected: boolean };
  readonly stateAgeSeconds: number | null;
  readonly revision: number | null;
  readonly peers: readonly { readonly cluster: string; readonly up: boolean }[];
  readonly troubles: readonly { readonly code: string; readonly severity: string }[];
}

const WEB = nameOf("web");

describe("while the broker is away", () => {
  let raised: Raised;

  beforeAll(async () => {
    raised = await raise();
    must(await eventually(() => getOnce(raised.scene.pods.birchClient, `http://${WEB}/`)));
    expect(await stopJob(raised.set.broker.job)).toBe(0);
  });
  afterAll(() => raised?.down());

  const status = async (daemon: Daemon): Promise<Status> => must(await verbJson<Status>(daemon, ["status"]));
  const statusThat = (daemon: Daemon, holds: (status: Status) => boolean) =>
    eventually(async (): Promise<Result<Status>> => {
      const now = await status(daemon);
      return holds(now) ? ok(now) : err(JSON.stringify(now));
    });

  test("a gateway that starts is ready from its disk: names, tunnels and table", async () => {
    const { set, scene } = raised;
    const before = must(await resolve(scene.pods.birchClient, WEB));
    expect(await stopJob(set.gateways.birch.job)).toBe(0);
    const tunnels = await processesIn(set.gateways.birch.place.pid, "wireguard-go");
    const birch = await restartGateway(set, "birch");
    expect(must(await resolve(scene.pods.birchClient, WEB))).toEqual(before);
    expect(must(await getOnce(scene.pods.birchClient, `http://${WEB}/`)).cluster).toBe("amber");
    expect(await processesIn(birch.place.pid, "wireguard-go")).toEqual(tunnels);
    const { peers } = must(await statusThat(birch, (now) => now.peers.every(({ up }) => up)));
    expect(peers).toHaveLength(2);
  });

  test("it says so, and how old its state is", async () => {
    const said = must(await statusThat(raised.set.gateways.birch, ({ troubles }) => troubles.length > 0));
    expect(said.troubles.map(({ code, severity }) => `${code} ${severity}`)).toEqual(["broker-away warning"]);
    expect(said.broker.connected).toBe(false);
    expect(said.stateAgeSeconds).toBeGreaterThan(0);
    expect(said.revision).toBeGreaterThan(0);
  });

  test("a gateway that lost its tunnels too builds them anew from its disk", async () => {
    const { set, scene } = raised;
    const { place, job } = set.gateways.birch;
    await stopJob(job);
    for (const pid of await processesIn(place.pid, "wireguard-go")) process.kill(pid, "SIGKILL");
    await restartGateway(set, "birch");
    must(await eventually(() => getOnce(scene.pods.birchClient, `http://${WEB}/`)));
  });

  test("an export that is made meanwhile is seen everywhere once it is back, and nothing else changes", async () => {
    const { set, scene } = raised;
    await exportCedarWeb(scene);
    Object.assign(set, { broker: await startBroker(scene.underlay) });
    const exporters = async (): Promise<Result<string>> => {
      const said = must(await verbJson<{ reason: string }>(set.gateways.birch, ["explain", WEB]));
      return said.reason.includes("amber, cedar") ? ok(said.reason) : err(said.reason);
    };
    must(await eventually(exporters, { timeoutMs: 40_000 }));
    must(await statusThat(set.gateways.birch, ({ troubles, broker }) => troubles.length === 0 && broker.connected));
  });

  test("an evicted member says so, and takes nothing down", async () => {
    const { set, scene } = raised;
    const cedar = set.gateways.cedar;
    const node = firstNode(scene.clusters.cedar);
    const routes = await mustExec(node, ["ip", "route", "show", "proto", "77"]);
    const token = (await readFile(join(set.broker.data, "admin.token"), "utf8")).trim();
    const evict = `fetch("http://${HTTP_ADDRESS}/v1/clusters/cedar", { method: "DELETE", headers: { authorization: "Bearer " + process.argv[1] } }).then((r) => console.log(r.status))`;
    expect(await mustExec(scene.underlay, [process.execPath, "-e", evict, token])).toMatch(/^20\d\n$/);
    expect((await criticalOf(cedar)).join()).toMatch(/broker-refused|membership-ended/);
    expect(await mustExec(node, ["ip", "route", "show", "proto", "77"])).toBe(routes);
    expect(must(await resolve(scene.pods.cedarWeb, WEB))).toHaveLength(1);
    const gone = async () => {
      const { peers } = await status(set.gateways.birch);
      return peers.some(({ cluster }) => cluster === "cedar") ? err("cedar is still a peer") : ok(true);
    };
    must(await eventually(gone));
    expect(must(await verb(cedar, ["leave", "--force"]))).toMatch(/cluster cedar left/);
    expect(await endOf(cedar.job)).toBe(0);
  });

  /** Codes of the critical troubles; `status` fails while there is one, and prints all the same. */
  async function criticalOf(daemon: Daemon): Promise<readonly string[]> {
    const read = async (): Promise<Result<readonly string[]>> => {
      const text = await mustExec(daemon.place, [process.execPath, "-e", STATUS]);
      const { troubles } = JSON.parse(text) as Status;
      const codes = troubles.filter(({ severity }) => severity === "critical").map(({ code }) => code);
      return codes.length > 0 ? ok(codes) : err(text);
    };
    return must(await eventually(read));
  }
});

const STATUS = `fetch("http://${HTTP_ADDRESS}/v1/status").then(async (r) => console.log(JSON.stringify(await r.json())))`;
