import { type Table, table } from "./table.ts";

/** Metrics of CoreDNS 1.14 by name, label and bucket (plugin/metrics/vars, and the plugins that are served). */
export const TABLE_4_3: Table = table("4.3", "Metrics of CoreDNS", {
  build_info: "version, revision, goversion",
  panics: "coredns_panics_total",
  plugin_enabled: "server, zone, view, name",
  requests: "server, zone, view, proto, family, type",
  duration: "server, zone, view; 0.25 ms doubling to 8.192 s",
  request_size: "server, zone, view, proto; size of the query",
  do_requests: "server, zone, view",
  response_size: "server, zone, view, proto",
  responses: "server, zone, view, rcode, plugin",
  health: "coredns_health_request_duration_seconds and its failures",
  reload: "coredns_reload_failed_total, and the hash in force",
  acl: "blocked, filtered, dropped and allowed",
  server: "the label is dns://:PORT, with an address where it was bound",
  zone: "the label is the server block's zone, `dropped` for queries that no zone takes",
  type: "the label is one of a fixed list, else other",
  names: "names are as promlint wants them",
  absent: "nothing is counted of what is not done: encrypted transports, caches, forwarding, an API server",
});
