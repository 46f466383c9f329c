import { type Table, table } from "./table.ts";

/** What the DNS specification of the Multicluster Services API (KEP-1645, schema 1.0.0) demands; numbers in brackets
 *  are its sections. */
export const TABLE_3_1: Table = table("3.1", "Multicluster DNS specification", {
  version: "dns-version.<zone> TXT is 1.0.0, lifetime 28800, and can be configured [2.2]",
  "clusterset-ip-a": "A of a ClusterSetIP service: every IPv4 clusterset IP [2.3.1]",
  "clusterset-ip-aaaa":
    "AAAA of a ClusterSetIP service: every IPv6 clusterset IP; NODATA for a family without one [2.3.1]",
  "clusterset-ip-srv": "SRV of a ClusterSetIP service: one per named port, at the service's own name [2.3.2]",
  ptr: "no PTR for a clusterset IP [2.3.3, 2.4.3]",
  "cluster-name": "no record at <cluster>.<service>, for either kind of service [2.3.4, 2.4.4]",
  "headless-addresses": "A and AAAA of a headless service: the ready endpoints, the same subset in both [2.4.1]",
  "headless-none-ready": "a headless service without a ready endpoint is NXDOMAIN [2.4.1]",
  "headless-host": "<hostname>.<cluster>.<service>: every address of that hostname in that cluster [2.4.1]",
  "headless-srv": "SRV of a headless service: one per ready endpoint and named port, at the endpoint's name [2.4.2]",
  lengths: "a name that cannot be encoded is left out, counted, and fails nothing else",
});
