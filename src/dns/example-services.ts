import { expect, type Ip, parseIp } from "#values";
import type { ZoneEndpoint, ZonePort, ZoneService } from "./zone.ts";

/** Services for the tests of this room. */

export function ip(text: string): Ip {
  return expect(parseIp(text));
}

export const HTTP: ZonePort = { name: "http", protocol: "TCP", port: 80 };

/** virtual is a ClusterSetIP service, `shop/web` on 10.0.0.1 unless said otherwise. */
export function virtual(fields: Partial<ZoneService> = {}): ZoneService {
  return {
    namespace: "shop",
    name: "web",
    type: "ClusterSetIP",
    addresses: [ip("10.0.0.1")],
    ports: [HTTP],
    endpoints: [],
    ...fields,
  };
}

/** headless is `shop/db` with endpoints. */
export function headless(endpoints: readonly ZoneEndpoint[], fields: Partial<ZoneService> = {}): ZoneService {
  return { ...virtual({ name: "db", type: "Headless", addresses: [], ports: [], ...fields }), endpoints };
}

export function endpoint(
  hostname: string,
  cluster: string,
  addresses: readonly string[],
  ports = [HTTP],
): ZoneEndpoint {
  return { hostname, cluster, addresses: addresses.map(ip), ports };
}

/** pods is that many endpoints of cluster `a`, `p0` on 10.1.0.0 and so on; with an IPv6 address each if wanted. */
export function pods(count: number, dual = false): readonly ZoneEndpoint[] {
  return Array.from({ length: count }, (_, i) => {
    const v4 = `10.1.${i >>> 8}.${i & 255}`;
    return endpoint(`p${i}`, "a", dual ? [v4, `fd00::${(i + 1).toString(16)}`] : [v4]);
  });
}
