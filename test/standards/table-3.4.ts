import { type Table, table } from "./table.ts";

/** Where CoreDNS and the RFCs part, or the specification is silent: what is answered here. Each difference has a switch
 *  that answers as CoreDNS does. */
export const TABLE_3_4: Table = table("3.4", "Where CoreDNS and the RFCs part", {
  Q1: "<cluster>.<headless service> is an empty non-terminal: NODATA (RFC 8020 section 2)",
  Q2: "_tcp.<service> is an empty non-terminal: NODATA",
  Q3: "the apex, svc and a namespace are NODATA for every type they lack",
  Q4: "SOA of a name that does not exist is NXDOMAIN",
  Q5: "the apex has NS and glue; ns.dns answers, dns is NODATA",
  Q6: "nothing exists below pod",
  Q7: "a ClusterSetIP service has no names of endpoints",
  Q8: "a headless SRV record has the endpoint's own port",
  Q9: "nothing exists below the longest names of a service",
});
