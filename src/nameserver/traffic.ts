import { rcodeText, readTallies } from "#dns";
import type { ZoneTraffic } from "#metrics";
import { familyLabel, type Server, serverLabel } from "./server.ts";

/** trafficOf is what a server counted, as CoreDNS's metrics call it. */
export function trafficOf({ plan, responder, watch }: Server): readonly ZoneTraffic[] {
  if (watch === undefined) return [];
  return readTallies(watch).flatMap(({ listener, tcp, zone, sums }): ZoneTraffic[] => {
    const at = responder.bound[listener] ?? plan.listen[listener];
    if (at === undefined || (sums.requestBytes.count === 0 && sums.access.allowed === 0)) return [];
    const label = zone === undefined ? undefined : plan.labels[zone];
    return [
      {
        server: serverLabel(plan, at),
        zone: label?.zone ?? "dropped",
        plugin: label?.plugin ?? "",
        proto: tcp ? "tcp" : "udp",
        family: familyLabel(at),
        requests: sums.requests,
        responses: Object.fromEntries([...sums.rcodes].map(([rcode, count]) => [rcodeText(rcode), count])),
        dnssecOk: sums.dnssecOk,
        seconds: sums.seconds,
        requestBytes: sums.requestBytes,
        responseBytes: sums.replyBytes,
        access: sums.access,
      },
    ];
  });
}

/** pluginsOf lists directives in force by server and zone. */
export function pluginsOf({ plan, responder }: Server) {
  return plan.listen.flatMap((listen, i) => {
    const server = serverLabel(plan, responder.bound[i] ?? listen);
    return plan.plugins.map(({ zone, name }) => ({ server, zone, name }));
  });
}
