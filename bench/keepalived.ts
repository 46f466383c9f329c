import { attachNode, createPlace, cutNode, ipBatch, mustExec, type Place, startStream } from "#lab";
import { expect, type Ip, parseIp } from "#values";
import { Talker } from "./talker.ts";

/** Two routers by keepalived between a client and a server, each way through a virtual address that one of them has. */
export interface VrrpStage {
  readonly underlay: Place;
  readonly client: Place;
  readonly server: Place;
  readonly routers: readonly Router[];
}

interface Router {
  readonly place: Place;
  readonly address: Ip;
}

/** Seconds between two adverts: keepalived's default, and the least that its manual shows. */
export const ADVERTS = [1, 0.1] as const;
/** Long enough for three adverts of a second and the skew (RFC 5798, 6.1), with some before. */
const STREAM_SECONDS = 8;
const BEFORE_MS = 1500;
/** Longer than the longest hole. */
const IDLE_MS = 5000;
const PORT = 9700;

const ip = (text: string): Ip => expect(parseIp(text));
const PREFIX = "198.19.0";
const serverAddress = (instance: number): Ip => ip(`${PREFIX}.${10 + instance}`);

/** raiseVrrp builds it on an underlay whose last addresses are free; `net` is that network's first three octets. */
export async function raiseVrrp(underlay: Place, net: string): Promise<VrrpStage> {
  await ipBatch(underlay, ["link add br1 type bridge", "link set br1 up"]);
  const virtual = (instance: number): Ip => ip(`${net}.${210 + instance}`);
  const make = async (name: string): Promise<Place> => createPlace(underlay.run, name, "127.0.0.1");
  const [client, server] = [await make("vrrp-client"), await make("vrrp-server")];
  await attachNode(underlay, client, ip(`${net}.200`));
  await behind(
    underlay,
    server,
    3,
    ADVERTS.map((_, instance) => serverAddress(instance)),
  );
  await ipBatch(
    client,
    ADVERTS.map((_, instance) => `route add ${serverAddress(instance)} via ${virtual(instance)}`),
  );
  const routers: Router[] = [];
  for (const n of [1, 2]) {
    const place = await make(`router-${n}`);
    const address = ip(`${net}.${200 + n}`);
    await attachNode(underlay, place, address);
    await behind(underlay, place, n, [ip(`${PREFIX}.${n}`)]);
    await mustExec(place, ["tee", "/proc/sys/net/ipv4/ip_forward"], { stdin: "1" });
    await mustExec(place, ["tee", "/run/keepalived.conf"], { stdin: configOf(120 - 10 * n, virtual) });
    routers.push({ place, address });
    new Talker(place, [
      "keepalived",
      "-n",
      "-l",
      "-P",
      "-f",
      "/run/keepalived.conf",
      "-p",
      "/run/k.pid",
      "-r",
      "/run/v.pid",
    ]);
    await new Promise((resolve) => setTimeout(resolve, 5000)); // the first has taken both addresses by then
  }
  return { underlay, client, server, routers };
}

/** The second network, where the server is. */
async function behind(underlay: Place, place: Place, n: number, addresses: readonly Ip[]): Promise<void> {
  await ipBatch(underlay, [
    `link add vrrp${n} type veth peer name eth1 netns ${place.pid}`,
    `link set vrrp${n} master br1 up`,
  ]);
  await ipBatch(place, [...addresses.map((address) => `addr add ${address}/24 dev eth1`), "link set eth1 up"]);
}

function configOf(priority: number, virtual: (instance: number) => Ip): string {
  const instances = ADVERTS.map(
    (seconds, instance) => `vrrp_instance i${instance} {
  interface eth0
  version 3
  state BACKUP
  nopreempt
  virtual_router_id ${50 + instance}
  priority ${priority}
  advert_int ${seconds}
  virtual_ipaddress { ${virtual(instance)}/24 }
}
`,
  );
  return `global_defs { }\n${instances.join("")}`;
}

/** loseMaster streams through both virtual addresses while the router that has them loses its cable; the hole of each, in
 *  milliseconds. The router is back afterwards, without them. */
export async function loseMaster({ underlay, client, server, routers }: VrrpStage): Promise<readonly number[]> {
  const master = await masterOf(routers);
  const streams = await Promise.all(
    ADVERTS.map((_, instance) =>
      startStream({
        from: client,
        to: server,
        address: serverAddress(instance),
        port: PORT + instance,
        seconds: STREAM_SECONDS,
        idleMs: IDLE_MS,
      }),
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, BEFORE_MS));
  await cutNode(underlay, master.address, "down");
  const ends = await Promise.all(streams.map((stream) => stream.end()));
  await cutNode(underlay, master.address, "up");
  await new Promise((resolve) => setTimeout(resolve, 2000));
  return ends.map(({ holeMs }) => holeMs);
}

/** The router that has all virtual addresses. */
async function masterOf(routers: readonly Router[]): Promise<Router> {
  for (const router of routers) {
    const shown = await mustExec(router.place, ["ip", "-br", "addr", "show", "eth0"]);
    if (ADVERTS.every((_, instance) => shown.includes(`.${210 + instance}/24`))) return router;
  }
  throw new Error("no router has both virtual addresses");
}
