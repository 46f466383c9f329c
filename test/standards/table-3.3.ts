import { type Table, table } from "./table.ts";

/** What CoreDNS's `kubernetes` and `multicluster` plugins both do beyond the specification, and clients rely on. */
export const TABLE_3_3: Table = table("3.3", "Behaviour that CoreDNS's plugins share", {
  ttl: "one lifetime for every record, 5 s unless configured from 0 to 3600",
  negative: "NXDOMAIN and NODATA carry the SOA: AA, lifetime at most 300 s, serial that never goes back",
  unsynced: "before the first sync an unknown name is SERVFAIL with the SOA, and a known one is answered",
  case: "the question's spelling comes back in owners, its zone part in SRV targets and SOA",
  "srv-weight": "SRV weight is 100 shared by the candidates, at least 1; priority 0; each record once",
  ready: "an endpoint is ready when conditions.ready is absent or true",
  "endpoint-name": "an endpoint is named by its hostname, else by its address with dashes",
  "srv-bare": "SRV at the service's own name has all ports",
  "port-addresses": "a _port._proto name answers A and AAAA too",
  namespace: "an unknown namespace is NXDOMAIN; a known one, svc, pod and the apex are NODATA",
  "no-ports": "a ClusterSetIP service without ports has its addresses all the same",
  noendpoints: "noendpoints: headless names and names of endpoints are NXDOMAIN",
  fallthrough: "an absence is final: nobody stands behind this responder",
});
