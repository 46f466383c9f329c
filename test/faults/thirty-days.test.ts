import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Broker, openBroker } from "#broker";
import { type GatewayDaemon, openGateway } from "#gateway";
import { freePort } from "#lab";
import { type Clock, isAbort, Secret, silentLog, systemClock } from "#life";
import { type Cidr, type ClusterId, type Ip, type Millis, millis, expect as must, type NodeName } from "#values";
import { folder } from "../cli/testbed.ts";
import { DnsWatch } from "./dns-watch.ts";

/** The broker is away for thirty days, by the clocks of broker and gateways: real ones of this process, over real
 *  sockets, that are told another time. */

const THIRTY_DAYS = 30 * 86_400_000;
const DNS_WAIT_MS = 10_000;
const LOOPBACK = "127.0.0.1" as Ip;
const [dir, remove] = folder();

/** Later is the system's clock, moved on. */
class Later implements Clock {
  offset = 0;

  now(): Millis {
    return millis(systemClock.now() + this.offset);
  }

  monotonic(): number {
    return systemClock.monotonic() + this.offset;
  }

  sleep(span: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(span, signal);
  }
}

/** Running is a room and what ends it. */
interface Running<T> {
  readonly room: T;
  end(): Promise<void>;
}

function started<T extends { run(signal: AbortSignal): Promise<void> }>(room: T): Running<T> {
  const stop = new AbortController();
  const running = room.run(stop.signal).catch((error: unknown) => {
    if (!isAbort(error)) throw error;
  });
  return {
    room,
    end: async () => {
      stop.abort();
      await running;
    },
  };
}

const clock = new Later();
const deps = { clock, log: silentLog, random: Math.random };
let brokerPort = 0;
let broker: Running<Broker>;

async function startBroker(): Promise<Running<Broker>> {
  const made = started(
    must(
      openBroker(
        {
          ...{ dataDir: join(dir, "broker"), listen: { host: LOOPBACK, port: brokerPort }, http: null, version: "1" },
          ...{ advertise: `wss://127.0.0.1:${brokerPort}`, supernets: ["242.0.0.0/8" as Cidr], acceptLoss: false },
          quarantineMs: 86_400_000 as Millis,
        },
        clock,
        silentLog,
      ),
    ),
  );
  await made.room.port;
  return made;
}

/** Member is a cluster's gateway on the loopback, with one export named as the cluster. */
class Member {
  readonly cluster: string;
  readonly dns: number;
  running!: Running<GatewayDaemon>;

  constructor(cluster: string, dns: number) {
    this.cluster = cluster;
    this.dns = dns;
    mkdirSync(join(dir, cluster), { mode: 0o700 });
    const manifests = join(dir, `${cluster}-manifests`);
    mkdirSync(manifests, { recursive: true });
    writeFileSync(join(manifests, "all.yaml"), exportOf(cluster));
  }

  async start(token: string | null = null): Promise<void> {
    const dataDir = join(dir, this.cluster);
    const options = {
      ...{ dataDir, cluster: this.cluster as ClusterId, joinToken: token === null ? null : new Secret(token) },
      ...{
        podCidrs: ["10.244.0.0/16" as Cidr],
        serviceCidrs: ["10.96.0.0/16" as Cidr],
        globalCidrs: [],
        globalnet: true,
      },
      ...{
        manifests: join(dir, `${this.cluster}-manifests`),
        kubernetes: null,
        namespace: "meridian",
        nodeWay: "auto" as const,
        exportMarkers: [],
        clustersetIp: "derived" as const,
        source: null,
        listenPort: 51_820,
        wireguardGo: null,
      },
      ...{ endpoint: { host: LOOPBACK, port: null }, dataPlane: "none" as const, http: null, path: "", version: "1" },
      ...{ dns: [{ host: LOOPBACK, port: this.dns }], name: `${this.cluster}-1` as NodeName },
      identityFile: join(dataDir, "identity.json"),
    };
    this.running = started(must(await openGateway(options, deps, new AbortController().signal)));
    await expect.poll(() => this.running.room.notReady(), { timeout: DNS_WAIT_MS }).toBeNull();
  }

  get gateway() {
    return this.running.room.gateway;
  }

  /** What it answers of the clusterset, and with which addresses. */
  view(): readonly string[] {
    const { reconciler, follower } = this.gateway;
    return [...reconciler.served.keys()].map((key) => `${key} ${follower.catalogue.ledger.serviceAddress(key)}`).sort();
  }
}

let amber: Member;
let birch: Member;
const names = ["amber", "birch"].map((name) => `${name}.shop.svc.clusterset.local`);

async function raise(): Promise<void> {
  brokerPort = await freePort();
  broker = await startBroker();
  [amber, birch] = [new Member("amber", await freePort()), new Member("birch", await freePort())];
  for (const member of [amber, birch]) {
    const invited = broker.room.desk.invite({ cluster: null, uses: 1, ttlMs: 60_000 }, "test");
    if (!invited.ok) throw new Error(invited.error.message);
    await member.start(invited.value.token);
  }
  for (const { view } of bound()) await expect.poll(view, { timeout: DNS_WAIT_MS }).toHaveLength(2);
}

afterAll(async () => {
  for (const member of [amber, birch]) await member?.running?.end();
  await broker?.end();
  remove();
});

const bound = () => [amber, birch].map((member) => ({ member, view: () => member.view() }));

test("F10 away for thirty days by the clock: every query is answered, also by a gateway that starts anew", async () => {
  await raise();
  const before = bound().map(({ view }) => view());
  const revision = broker.room.desk.revision();
  await broker.end();
  await using watch = new DnsWatch(birch.dns, names);
  await systemClock.sleep(500);
  clock.offset = THIRTY_DAYS;
  await systemClock.sleep(2500);
  expect(watch.asked).toBeGreaterThan(50);
  expect(watch.lapses).toEqual([]);

  await amber.running.end();
  await amber.start();
  await using again = new DnsWatch(amber.dns, names);
  await systemClock.sleep(1000);
  expect(again.lapses).toEqual([]);
  expect(bound().map(({ view }) => view())).toEqual(before);
  const age = clock.monotonic() - (amber.gateway.session.heardAt ?? 0);
  expect(age / 86_400_000).toBeCloseTo(30, 1);

  broker = await startBroker();
  for (const { member } of bound()) {
    await expect.poll(() => member.gateway.session.state, { timeout: 40_000 }).toBe("live");
    await expect.poll(() => member.gateway.speaker.epoch, { timeout: DNS_WAIT_MS }).not.toBeNull();
  }
  expect(bound().map(({ view }) => view())).toEqual(before);
  expect([...watch.lapses, ...again.lapses]).toEqual([]);
  expect(broker.room.desk.clusters().map(({ id, state }) => `${id} ${state}`)).toEqual(["amber live", "birch live"]);
  expect(broker.room.desk.revision()).toBeGreaterThanOrEqual(revision);
}, 90_000);

function exportOf(name: string): string {
  const metadata = `{name: ${name}, namespace: shop}`;
  return [
    `{apiVersion: v1, kind: Service, metadata: ${metadata}, spec: {clusterIP: 10.96.0.9, ports: [{name: http, port: 80}]}}`,
    `{apiVersion: multicluster.x-k8s.io/v1beta1, kind: ServiceExport, metadata: ${metadata}}`,
    `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {name: ${name}-1, namespace: shop, labels: {kubernetes.io/service-name: ${name}}}, ports: [{name: http, port: 80}], endpoints: [{addresses: [10.244.1.10]}]}`,
    "",
  ].join("\n---\n");
}
