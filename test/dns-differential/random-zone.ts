import type { ZoneEndpoint, ZonePort, ZoneService } from "#dns";
import { expect, type Ip, parseIp } from "#values";
import type { Random } from "./random.ts";

const LONG = "l".repeat(63);
/** Names that no rule forbids, and some that cannot be encoded: too long, empty, not ASCII. */
const ODD = [LONG, `${LONG}x`, "UPPER", "x--y", "0", "xn--mnchen-3ya", "dns-version", "svc", "pod", "ns", "größe", ""];
const PORTS = ["http", "HTTP", "dns", "", "", "metrics-9090", "p".repeat(62), LONG];
const CLUSTERS = ["amber", "birch", "Amber", "c0", LONG, `${LONG}x`];

/** randomServices makes some services of either type, one or two families, with and without ports and endpoints. Each
 *  has a name of its own, in whatever case. */
export function randomServices(random: Random, count: number): readonly ZoneService[] {
  const services = Array.from({ length: count }, (_, i) => randomService(random, i));
  const byName = new Map(services.map((service) => [`${service.name}.${service.namespace}`.toLowerCase(), service]));
  return [...byName.values()];
}

function randomService(random: Random, i: number): ZoneService {
  const name = random.once(12) ? random.pick(ODD) : `s${i}`;
  const namespace = random.once(25) ? random.pick(ODD) : `ns${random.below(12)}`;
  if (random.once(2)) {
    const addresses = random.once(15) ? [] : someAddresses(random, random.once(3) ? 3 : 1);
    return {
      namespace,
      name,
      type: "ClusterSetIP",
      addresses,
      ports: random.list(4, () => port(random)),
      endpoints: [],
    };
  }
  const most = random.once(20) ? 120 : 6;
  const endpoints = random.once(12) ? [] : random.list(most, (at) => endpoint(random, at));
  return { namespace, name, type: "Headless", addresses: [], ports: [], endpoints };
}

function endpoint(random: Random, i: number): ZoneEndpoint {
  const addresses = random.once(20) ? [] : someAddresses(random, 1 + random.below(2));
  const hostname = random.once(8) ? random.pick([...ODD, "p0", "P0"]) : `p${i}`;
  return { cluster: random.pick(CLUSTERS), hostname, addresses, ports: random.list(3, () => port(random)) };
}

function port(random: Random): ZonePort {
  const protocol = random.pick(["TCP", "UDP", "SCTP"] as const);
  return { name: random.pick(PORTS), protocol, port: 1 + random.below(random.once(2) ? 3 : 65_535) };
}

/** One family, the other or both; now and then the same address twice. */
function someAddresses(random: Random, count: number): readonly Ip[] {
  return Array.from({ length: count }, () => {
    const tail = random.below(random.once(4) ? 4 : 65_536);
    const text = random.once(2) ? `242.1.${tail >>> 8}.${tail & 255}` : `fd00:0:0:1::${(tail || 1).toString(16)}`;
    return expect(parseIp(text));
  });
}
