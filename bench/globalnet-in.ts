import {
  createGlobalnet,
  type Globalnet,
  type GlobalnetPlan,
  type ServiceEntry,
  serviceKey,
  systemNft,
} from "#globalnet";
import type { Place } from "#lab";
import { Troubles } from "#life";
import { addressAt, expect, type Ip, ok, parseCidr, parseIp } from "#values";

const cidr = (text: string) => expect(parseCidr(text));
const ip = (text: string) => expect(parseIp(text));
const SERVICES = cidr("242.192.0.0/10");

/** PLAN is the translation of a node with one pod prefix, 10.244.0.0/16 as 242.1.0.0/16. */
export const PLAN: GlobalnetPlan = {
  supernet: cidr("242.0.0.0/8"),
  servicePrefix: SERVICES,
  pods: [{ local: cidr("10.244.0.0/16"), global: cidr("242.1.0.0/16") }],
  nodePrefix: cidr("242.0.1.0/24"),
  node: { local: ip("172.30.2.1"), global: ip("242.0.1.1") },
  tunnels: ["mrd0"],
  localLinks: ["cni0"],
  hostPorts: [],
  daemonPorts: [],
  siblings: [],
  direct: { pods: [], nodes: [] },
  hairpin: [],
};

/** globalnetIn is the program's own room at work in a place, called from this process. */
export function globalnetIn(place: Place): Globalnet {
  const conntrack = { forget: async () => ok(undefined) };
  return createGlobalnet({ nft: systemNft(enter(place)), conntrack, troubles: new Troubles() });
}

/** enter is the shortest way into a place's network for a command: the daemon itself calls nft with no wrapper at all. */
export function enter({ pid }: Place): readonly string[] {
  return ["nsenter", "-t", String(pid), "-n", "--"];
}

/** serviceAddress is the service address of the i-th service, 242.192.0.1 and up. */
export function serviceAddress(index: number): Ip {
  return addressAt(SERVICES, BigInt(index + 1));
}

/** serviceEntries makes so many services on TCP port 80, all with the same endpoints. */
export function serviceEntries(
  count: number,
  backends: readonly { readonly address: string; readonly port: number; readonly weight?: number }[],
): Map<string, ServiceEntry> {
  const shared = backends.map(({ address, port, weight = 1 }) => ({ address: ip(address), port, weight }));
  const entries = Array.from(
    { length: count },
    (_, i): ServiceEntry => ({
      ...{ address: serviceAddress(i), protocol: "TCP", port: 80, affinity: "none", backends: shared },
    }),
  );
  return new Map(entries.map((entry) => [serviceKey(entry), entry]));
}
